"""This module says what a trade made on average, and how sure one may be of it."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
import polars as pl

from warehouse.report import words

FEWEST_TRADES = 30


@dataclass(frozen=True, slots=True)
class Mean:
    """Mean return of trades, or the difference of two.

    Attributes
    ----------
    trades
        How many; of a difference, of the smaller side.
    mean, error
        Mean and its standard error as fractions of a trade's notional, days taken as
        independent; None: too few to say.
    """

    trades: int
    mean: float | None
    error: float | None

    @property
    def said(self) -> str:
        """Return the mean and its error in per cent."""
        if self.mean is None:
            return "no trades" if self.trades == 0 else words.UNKNOWN
        mean = words.pct(100 * self.mean, 2, signed=True)
        return mean if self.error is None else f"{mean} ± {100 * self.error:.2f}"

    @property
    def few(self) -> bool:
        """Return whether there are too few trades to tell anything from luck."""
        return self.trades < FEWEST_TRADES

    @property
    def sign(self) -> int:
        """Return 1 or -1 where the mean is beyond two standard errors of 0, otherwise 0."""
        if self.few or self.mean is None or self.error is None:
            return 0
        return int(np.sign(self.mean)) if abs(self.mean) > 2 * self.error else 0


def mean_trade(trades: pl.DataFrame) -> Mean:
    """Return the mean return of ``trades`` with its standard error.

    Trades that were entered on one UTC day are taken as one draw: coins fall together, and so
    do the trades of a day.
    """
    returns = trades["return_fraction"]
    return Mean(returns.len(), returns.mean(), _error(_pulls(trades)))


def mean_difference(aided: pl.DataFrame, unaided: pl.DataFrame) -> Mean:
    """Return how much more a trade of ``aided`` made than one of ``unaided``.

    Days count as in :func:`mean_trade`, both sides of a day together: variants of one rule
    share most of their trades.
    """
    means = [rows["return_fraction"].mean() for rows in (aided, unaided)]
    fewer = min(aided.height, unaided.height)
    if None in means:
        return Mean(fewer, None, None)
    minus = _pulls(unaided).with_columns(-pl.col("pull"))
    return Mean(fewer, means[0] - means[1], _error(pl.concat([_pulls(aided), minus])))


def _pulls(trades: pl.DataFrame) -> pl.DataFrame:
    """Return, for each trade, its day and by how much it moves the mean."""
    off = pl.col("return_fraction") - pl.col("return_fraction").mean()
    return trades.select(day=pl.col("entry_ts").dt.date(), pull=off / pl.len())


def _error(pulls: pl.DataFrame) -> float | None:
    """Return the standard error of a mean from the pulls of its days."""
    days = pulls.group_by("day").agg(pl.col("pull").sum())["pull"].to_numpy()
    # With few days the plain sum is too small; the factor is that of a sample variance.
    return sqrt((days**2).sum() * days.size / (days.size - 1)) if days.size > 1 else None
