"""This module turns the equity of several coins into one return a day."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backtest.bars import Bars
from backtest.flat import days_of
from backtest.replay import Replay
from backtest.statistics.probabilistic import moments

DAYS_OF_YEAR = 365


@dataclass(frozen=True, slots=True)
class Daily:
    """What all coins together earned each day.

    Attributes
    ----------
    day : datetime64[D][d]
        UTC, every day from the first bar to the last; a close at midnight is the day's before.
    returns : float64[d]
        Profit over the equity at the start of it all: profits are not compounded.
    """

    day: np.ndarray
    returns: np.ndarray

    @property
    def sharpe(self) -> float | None:
        """Return mean over deviation, of one day; None: fewer than two, or they do not vary."""
        found = moments(self.returns)
        return None if found is None else found.sharpe


def daily_of(replays: Sequence[tuple[Bars, Replay]]) -> Daily:
    """Return the daily returns of replays, each of one coin in an account of its own.

    Parameters
    ----------
    replays
        Bars of the period, and what was replayed on them, of one start equity.

    Returns
    -------
    Daily
        Change of equity over each day, summed over coins, over start equity times coins.  A
        coin without bars on a day earned nothing there.

    Raises
    ------
    ValueError
        If the accounts did not start alike.
    """
    starts = {played.start_equity for _, played in replays}
    if len(starts) != 1:
        raise ValueError(f"accounts must start with one equity, not {sorted(starts)}")
    (start,) = starts
    days = [days_of(bars) for bars, _ in replays]
    first, last = min(one[0] for one in days), max(one[-1] for one in days)
    day = np.arange(first, last + 1)
    profit = np.zeros(day.size)
    for mine, (_, played) in zip(days, replays, strict=True):
        # A day without bars ends where the one before did.
        newest = np.searchsorted(mine, day, side="right")
        held = np.concatenate([[start], played.equity])[newest]
        profit += np.diff(np.concatenate([[start], held]))
    return Daily(day, profit / (start * len(replays)))
