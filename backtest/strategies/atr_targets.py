"""This module holds a baseline: stop and target as multiples of how far bars reach.

Claim: exits at a distance that follows volatility are better than fixed ones (Wilder, "New
Concepts in Technical Trading Systems", 1978, who gave the true range its name).  No map is
needed for it; a target at a cluster must beat this one.
"""

from dataclasses import dataclass

import numpy as np

from backtest.decisions import Decisions
from backtest.strategies.allowed import counts, numbers
from backtest.strategies.strategy import MaplessWrapper
from backtest.view import View


@dataclass(frozen=True, kw_only=True)
class AtrTargets(MaplessWrapper):
    """Replace stop and target of another strategy by multiples of the average true range.

    Attributes
    ----------
    stop_atr, target_atr
        Distance from the entry in average true ranges; null: what the entry says.
    lookback
        Bars of the average, the one that decides among them.

    Notes
    -----
    An entry is refused where the range is not known yet, nothing moved at all, or a level
    under the entry would not be above 0.
    """

    stop_atr: float | None = 2.0
    target_atr: float | None = 3.0
    lookback: int = 24

    def __post_init__(self) -> None:
        numbers(self, "stop_atr", "target_atr", above=0)
        counts(self, "lookback")

    @property
    def warmup(self) -> int:
        """Return the bars of the average, or more if the entry wants them."""
        return max(self.entry.warmup, self.lookback)

    def decide(self, view: View) -> Decisions:
        """Return the decisions of the entry with other exits."""
        made = self.entry.decide(view)
        reach = atr(view.high_px, view.low_px, view.close_px, self.lookback) / view.close_px
        side, nothing = made.side, np.full(len(view), np.nan)
        exits = {}
        known = reach > 0
        for name, times, under in (
            ("stop", self.stop_atr, side > 0),
            ("target", self.target_atr, side < 0),
        ):
            if times is not None:
                exits |= {f"{name}_fraction": reach * times, f"{name}_px": nothing}
                known &= ~under | (reach * times < 1)
        enters = known & (side != 0)
        mine = {field: np.where(enters, px, np.nan) for field, px in exits.items()}
        return made.but(side=np.where(enters, side, 0), **mine)


def atr(
    high_px: np.ndarray, low_px: np.ndarray, close_px: np.ndarray, lookback: int
) -> np.ndarray:
    """Return the mean true range of the last bars, each one's own among them.

    Returns
    -------
    float64[n]
        USD.  A true range is the way from the lowest to the highest of high, low and the close
        before.  NaN: fewer than ``lookback`` bars with one before came so far.

    Examples
    --------
    >>> high, low, close = np.array([[2.0, 3.0, 9.0], [1.0, 1.0, 8.0], [2.0, 2.0, 8.0]])
    >>> atr(high, low, close, 2).tolist()
    [nan, nan, 4.5]
    """
    out = np.full(close_px.size, np.nan)
    if close_px.size > lookback:
        above = np.maximum(high_px[1:], close_px[:-1])
        below = np.minimum(low_px[1:], close_px[:-1])
        windows = np.lib.stride_tricks.sliding_window_view(above - below, lookback)
        out[lookback:] = windows.mean(axis=1)
    return out
