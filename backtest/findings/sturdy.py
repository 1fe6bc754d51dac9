"""This module says whether a mean rests on its best attempts, its best days, or one half."""

from dataclasses import dataclass

import numpy as np

from backtest.bars import Bars
from backtest.flat import days_of
from backtest.pooled import Attempts
from backtest.statistics.robustness import (
    Halves,
    Remainder,
    both_halves,
    without_best_days,
    without_best_trades,
)


@dataclass(frozen=True, slots=True)
class Sturdy:
    """The mean attempt without what made it.

    Attributes
    ----------
    without_1_pct, without_5_pct
        Without the best attempts.
    without_10_days
        Without the days that earned most.
    halves
        Of the period by the calendar; None: it has one day.
    """

    without_1_pct: Remainder
    without_5_pct: Remainder
    without_10_days: Remainder
    halves: Halves | None


def sturdy(attempts: Attempts, bars: list[Bars]) -> Sturdy:
    """Return the mean attempt without the best, and of both halves.

    Parameters
    ----------
    attempts
        Of all coins.
    bars
        Of the period, one a coin.
    """
    since = min(one.start[0] for one in bars).astype("datetime64[D]")
    until = max(days_of(one)[-1] for one in bars) + np.timedelta64(1, "D")
    enough = until - since >= np.timedelta64(2, "D")
    returns, days = attempts.returns, attempts.days
    return Sturdy(
        without_best_trades(returns, 0.01),
        without_best_trades(returns, 0.05),
        without_best_days(returns, days),
        both_halves(returns, days, since, until) if enough else None,
    )
