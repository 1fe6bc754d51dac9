"""This module holds a baseline: follow a close beyond the range of the bars before.

Claim: a close above the highest price of the last N bars is followed by higher prices, one
below the lowest by lower prices, by more than costs.  The rule knows no map; strategies that
do are measured against it.
"""

from dataclasses import dataclass

import numpy as np

from backtest.decisions import Decisions
from backtest.strategies.allowed import counts
from backtest.strategies.entry import Entry
from backtest.view import View


@dataclass(frozen=True, kw_only=True)
class Breakout(Entry):
    """Enter the way a close leaves the range of the bars before it; no default was tuned.

    Attributes
    ----------
    lookback
        Bars of the range; the bar that decides is not among them.
    """

    lookback: int = 24

    def __post_init__(self) -> None:
        super().__post_init__()
        counts(self, "lookback")

    @property
    def warmup(self) -> int:
        """Return the bars of the range."""
        return self.lookback

    @property
    def blind(self) -> bool:
        """Return that the rule knows no map."""
        return True

    def decide(self, view: View) -> Decisions:
        """Return an entry at each close beyond the range."""
        return self.enter(breakout(view.high_px, view.low_px, view.close_px, self.lookback))


def breakout(
    high_px: np.ndarray, low_px: np.ndarray, close_px: np.ndarray, lookback: int
) -> np.ndarray:
    """Return the side that each bar's close breaks out to.

    Parameters
    ----------
    high_px, low_px, close_px : float64[n]
        Bars in order of time, USD.
    lookback
        Bars of the range; the bar that decides is not among them.

    Returns
    -------
    int8[n]
        +1: the close lies above all highs of the range; -1: below all its lows; 0: neither, or
        fewer than ``lookback`` bars came before.

    Raises
    ------
    ValueError
        If ``lookback`` is below 1.

    Examples
    --------
    >>> px = np.array([1.0, 2.0, 3.0, 2.5, 1.5])
    >>> breakout(px, px, px, 2).tolist()
    [0, 0, 1, 0, -1]
    """
    if lookback < 1:
        raise ValueError(f"lookback {lookback} must be 1 bar or more")
    side = np.zeros(close_px.size, dtype=np.int8)
    if close_px.size <= lookback:
        return side
    ceiling = np.lib.stride_tricks.sliding_window_view(high_px, lookback).max(axis=1)[:-1]
    floor = np.lib.stride_tricks.sliding_window_view(low_px, lookback).min(axis=1)[:-1]
    side[lookback:] = np.where(close_px[lookback:] > ceiling, 1, 0)
    side[lookback:][close_px[lookback:] < floor] = -1
    return side
