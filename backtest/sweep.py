"""This module replays a rule under many settings: grids, random draws, coins and periods.

The arithmetic is in :mod:`backtest.kernels.sweep`.  Settings are cut into chunks that threads
work side by side; the kernel holds no lock.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count

import numpy as np

from backtest.flat import lay_flat
from backtest.kernels import sweep as kernels
from backtest.leg import Leg
from backtest.records import MARKET, RESULT, TRADE
from backtest.settings import PARAMETERS, filled
from backtest.terms import Terms

# Settings a thread takes at once: enough that the launch does not count, few enough that
# progress is seen.
CHUNK = 64
HOUR = np.timedelta64(3_600_000_000, "us")


@dataclass(frozen=True, slots=True)
class Swept:
    """What came of every setting.

    Attributes
    ----------
    settings : dict of arrays [s]
        What was tried, by parameter.
    results : RESULT[s]
        See :mod:`backtest.records`.
    equity : float64[s, d]
        At the last close of each day, USD; NaN where the setting has no bars.
    day : datetime64[D][d]
        UTC.
    trades : TRADE[t]
        Of all settings in turn, ``coin`` the number of the setting; none unless kept.
    start_equity
        USD.
    """

    settings: dict[str, np.ndarray]
    results: np.ndarray
    equity: np.ndarray
    day: np.ndarray
    trades: np.ndarray
    start_equity: float

    @property
    def daily_returns(self) -> np.ndarray:
        """Return float64[s, d]: each day's profit over the equity at the start of it all.

        Sizes are fixed, so profits are not compounded; NaN where the setting has no bars.
        """
        start = np.full((self.equity.shape[0], 1), self.start_equity)
        return np.diff(np.hstack([start, self.equity]), axis=1) / self.start_equity


def sweep(
    legs: Sequence[Leg],
    settings: Mapping[str, np.ndarray],
    terms: Terms,
    *,
    bound: str = "pessimistic",
    keep_trades: bool = False,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Swept:
    """Replay every setting, each in an account of its own.

    Parameters
    ----------
    legs
        Stretches of bars with their base signals (market entries) and, where they have them,
        target prices.  Legs may share their bars.
    settings
        Arrays of one length: ``leg``, the number of the stretch; ``stop_fraction`` and
        ``target_fraction``, NaN: none; ``max_bars``, 0: any number; ``notional``, USD.  What is
        left out is: leg 0, no level, any number of bars, 10,000 USD.
    terms
        Limits fill by touch, and nothing travels: what else there is, only
        :func:`backtest.replay.replay` does.
    bound
        ``"pessimistic"`` or ``"optimistic"``.
    keep_trades
        Whether every trade is kept.
    threads
        How many; null: one for each core.
    progress
        Told how many settings are done, of how many.

    Raises
    ------
    ValueError
        If an argument is not one that a sweep can follow.

    Notes
    -----
    Nobody is liquidated here.  ``results["closest"]`` is the least of equity over notional that
    any trade came to: above the coin's maintenance rate, nobody would have been.
    """
    tried = filled(settings, len(legs))
    _check(legs, terms, bound, tried)
    flat = lay_flat(legs)
    most = np.array([min(terms.leverage, leg.max_leverage) for leg in legs])
    rows = _rows(flat.places, tried, terms, bound)
    rows["leverage"] = most[tried["leg"]]
    sizes = legs[0].slippage.sizes
    costs = terms.costs.taker_fee, terms.costs.maker_fee, sizes, flat.curves

    def work(chunk: np.ndarray) -> tuple[np.ndarray, ...]:
        return kernels.sweep(*flat[:5], chunk, costs, flat.day.size, keep_trades)

    chunks = [rows[start : start + CHUNK] for start in range(0, rows.size, CHUNK)]
    done, found = 0, []
    with ThreadPoolExecutor(threads or cpu_count() or 1) as pool:
        for chunk, answer in zip(chunks, pool.map(work, chunks), strict=True):
            answer[2]["coin"] += done
            found.append(answer)
            done += chunk.size
            if progress is not None:
                progress(done, rows.size)
    results, equity, trades = (
        np.concatenate(parts) if parts else empty
        for parts, empty in zip(
            zip(*found, strict=True) if found else ((), (), ()),
            (np.zeros(0, RESULT), np.zeros((0, flat.day.size)), np.zeros(0, TRADE)),
            strict=True,
        )
    )
    return Swept(tried, results, equity, flat.day, trades, terms.start_equity)


def follows(terms: Terms, width: np.timedelta64) -> bool:
    """Return whether a sweep may follow what is decided on bars of a width, under such terms.

    Whether it does, hangs on what is decided: :func:`why_not`.
    """
    within = width > HOUR and terms.costs.funding != "none"
    return _at_once(terms) and not within


def _at_once(terms: Terms) -> bool:
    return terms.limit == "touch" and terms.latency == np.timedelta64(0, "us")


def why_not(leg: Leg, terms: Terms) -> str | None:
    """Return why a sweep cannot follow a leg, which a replay can; None: it can."""
    if not _at_once(terms):
        return "a sweep fills limits by touch and knows no latency; use replay"
    if leg.stamps is not None and leg.stamps.ts.size:
        return "a sweep charges funding at the opens of bars, and not within them; use replay"
    orders = leg.decisions.orders
    if (orders["kind"] != MARKET).any() or orders["leave"].any():
        return "a sweep enters at the market and leaves by its levels; use replay"
    others = ("trail_fraction", "stop_px", "share", "move_stop_px", "move_target_px")
    if any(not np.isnan(orders[name]).all() for name in others):
        return f"a sweep knows none of {', '.join(others)}; use replay"
    return None


def _check(
    legs: Sequence[Leg], terms: Terms, bound: str, tried: Mapping[str, np.ndarray]
) -> None:
    if bound not in ("pessimistic", "optimistic"):
        raise ValueError(f"bound {bound!r} must be one of pessimistic, optimistic")
    if not legs:
        raise ValueError("a sweep needs a leg")
    for leg in legs:
        if (reason := why_not(leg, terms)) is not None:
            raise ValueError(reason)
        if not np.array_equal(leg.slippage.sizes, legs[0].slippage.sizes):
            raise ValueError("slippage of all legs must be given at the same sizes")
    for name in ("stop_fraction", "target_fraction"):
        wrong = tried[name] <= 0
        if wrong.any():
            raise ValueError(f"{name} {tried[name][wrong][0]:g} must be above 0")
    if not (tried["notional"] > 0).all() or (tried["max_bars"] < 0).any():
        raise ValueError("notional must be above 0, and max_bars 0 or more")


def _rows(
    places: np.ndarray, tried: Mapping[str, np.ndarray], terms: Terms, bound: str
) -> np.ndarray:
    """Return one record a setting: where its leg lies, and what is tried there."""
    rows = places[tried["leg"]]
    for name in PARAMETERS[1:]:
        rows[name] = tried[name]
    rows["start_equity"] = terms.start_equity
    rows["optimistic"] = bound == "optimistic"
    return rows
