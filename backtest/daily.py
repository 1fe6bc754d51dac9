"""This module turns the equity of accounts into one return a day."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backtest.bars import Bars
from backtest.flat import days_ending, days_of
from backtest.replay import Replay
from backtest.statistics.probabilistic import moments

DAYS_OF_YEAR = 365


@dataclass(frozen=True, slots=True)
class Daily:
    """What all accounts together earned each day.

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
    """Return the daily returns of the accounts of replays, each of one coin.

    Parameters
    ----------
    replays
        Bars of the period, and what was replayed on them, of one start equity.  Coins of one
        account count once, with all bars that any of them has.

    Returns
    -------
    Daily
        Change of equity over each day, summed over accounts, over start equity times accounts.
        An account without bars on a day earned nothing there.

    Raises
    ------
    ValueError
        If the accounts did not start alike.
    """
    accounts: dict[int, tuple[np.ndarray, Replay]] = {}
    for bars, played in replays:
        mine = days_of(bars)
        if played.whole is not None:
            mine = days_ending(played.whole.start + bars.width)
        accounts[id(played.account)] = mine, played.account
    starts = {played.start_equity for _, played in accounts.values()}
    if len(starts) != 1:
        raise ValueError(f"accounts must start with one equity, not {sorted(starts)}")
    (start,) = starts
    days = [mine for mine, _ in accounts.values()]
    first, last = min(one[0] for one in days), max(one[-1] for one in days)
    day = np.arange(first, last + 1)
    profit = np.zeros(day.size)
    for mine, played in accounts.values():
        # A day without bars ends where the one before did.
        newest = np.searchsorted(mine, day, side="right")
        held = np.concatenate([[start], played.equity])[newest]
        profit += np.diff(np.concatenate([[start], held]))
    return Daily(day, profit / (start * len(accounts)))
