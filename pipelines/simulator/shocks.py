"""This module plans shocks: moves of the whole market at a moment that is asked for."""

import re
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np

_FORM = re.compile(r"(\S+)=([+-]?\d+(?:\.\d+)?)%?(?:/(\d+)m)?")
_GROWS = 17  # minutes of one shock move unequally, by this small generator's numbers


class Shock(NamedTuple):
    """A move of the market.

    Attributes
    ----------
    at_ms
        When it starts.
    pct
        How far the market goes; a coin goes ``beta`` times as far.
    minutes
        How long it takes.
    rebound_pct
        What share of it is won back, per cent, over the eight hours that follow.
    """

    at_ms: int
    pct: float
    minutes: int = 40
    rebound_pct: float = 35.0


REBOUND_MINUTES = 480


def parse_shock(text: str) -> Shock:
    """Read ``2026-01-10T14:00Z=-12%/40m``: when, how far, and over how many minutes.

    >>> parse_shock("2026-01-10T14:00Z=-12%/30m")
    Shock(at_ms=1768053600000, pct=-12.0, minutes=30, rebound_pct=35.0)

    Raises
    ------
    ValueError
        If it is not of this form, or the move is not between -90 and 300 %.
    """
    form = f"shock {text!r}: must be like 2026-01-10T14:00Z=-12% or …=-12%/40m"
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise ValueError(form)
    try:
        at = datetime.fromisoformat(match[1])
    except ValueError:
        raise ValueError(form) from None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    pct, minutes = float(match[2]), int(match[3] or 40)
    if not -90 <= pct <= 300 or not 1 <= minutes <= 1440:
        raise ValueError(f"shock {text!r}: takes −90 to +300 % over 1 to 1440 minutes")
    return Shock(int(at.timestamp() * 1000), pct, minutes)


def shock_returns(
    shocks: tuple[Shock, ...], start_ms: int, first: int, minutes: int
) -> np.ndarray:
    """Return what shocks add to the market's return in each minute.

    Parameters
    ----------
    shocks
        The plan.
    start_ms
        Start of the world.
    first, minutes
        From which minute of it on, and how many.

    Returns
    -------
    float64[minutes]
        Fractions.
    """
    out = np.zeros(minutes)
    for shock in shocks:
        at = (shock.at_ms - start_ms) // 60_000 - first
        path = _path(shock)
        low, high = max(0, at), min(minutes, at + path.size)
        if low < high:
            out[low:high] += path[low - at : high - at]
    return out


def _path(shock: Shock) -> np.ndarray:
    """Return the returns of a shock and its rebound, minute by minute."""
    number, weights = _GROWS, []
    for _ in range(shock.minutes):
        number = number * 75 % 65_537
        # Cubed, so that most of the way is gone in few minutes.
        weights.append((number / 65_537) ** 3 + 0.02)
    total = sum(weights)
    level, returns, gone = 1.0, [], 0.0
    for weight in weights:
        gone += weight / total
        returns.append((1.0 + shock.pct / 100 * gone) / level - 1.0)
        level = 1.0 + shock.pct / 100 * gone
    back = -shock.pct / 100 * shock.rebound_pct / 100 / REBOUND_MINUTES
    return np.array(returns + [back] * REBOUND_MINUTES)
