"""This module takes the best trades and days away, and looks at both halves of the period."""

import math
from dataclasses import dataclass

import numpy as np

from backtest.statistics.measures import mean_trade
from backtest.statistics.returns import as_labels, as_returns


@dataclass(frozen=True, slots=True)
class Remainder:
    """What is left without the best.

    Attributes
    ----------
    mean
        Of the remaining trades, fraction; None: none remain.
    dropped
        How many trades were taken away.
    profit_share
        Their share of what all trades together earned, above 1 where the rest lost; None: all
        together earned nothing.
    """

    mean: float | None
    dropped: int
    profit_share: float | None


def without_best_trades(returns: np.ndarray, share: float) -> Remainder:
    """Return what is left without the best trades.

    Parameters
    ----------
    returns : float64[n]
        Of the trades, fractions.
    share
        Of the trades to take away, between 0 and 1 (0.01, 0.05); rounded up to whole trades, so
        that at least one goes.

    Returns
    -------
    Remainder
        Without trades at all: no mean, nothing dropped.

    Raises
    ------
    ValueError
        If a return is unknown, or the share is not between 0 and 1.
    """
    known = np.sort(as_returns(returns, "returns"))
    if not 0 < share < 1:
        raise ValueError(f"share must lie between 0 and 1, not {share}")
    # 0.07 of 100 is 7.000000000000001.
    dropped = math.ceil(round(known.size * share, 9))
    best = np.zeros(known.size, dtype=bool)
    best[known.size - dropped :] = True
    return _remainder(known, best)


def without_best_days(returns: np.ndarray, days: np.ndarray, many: int = 10) -> Remainder:
    """Return what is left without the days that earned most.

    Parameters
    ----------
    returns : float64[n]
        Of the trades, fractions.
    days : datetime64[D][n]
        UTC date of each.
    many
        Days to take away, 1 or more; of days that earned the same the earlier goes first.

    Returns
    -------
    Remainder
        Where there are no more days than that, nothing remains.

    Raises
    ------
    ValueError
        If a return or a day is unknown, there are not as many of both, or no day is to go.
    """
    known = as_returns(returns, "returns")
    labels = as_labels(days, "days", known.size)
    if many < 1:
        raise ValueError(f"many must be 1 or more, not {many}")
    found, number = np.unique(labels, return_inverse=True)
    earned = np.bincount(number, weights=known, minlength=found.size)
    best = np.argsort(-earned, kind="stable")[:many]
    return _remainder(known, np.isin(number, best))


@dataclass(frozen=True, slots=True)
class Halves:
    """The mean trade of each half of a period.

    Attributes
    ----------
    middle : datetime64[D]
        First day of the second half.
    first, second
        Mean trades, fractions; None: no trade in that half.
    first_count, second_count
        Trades.
    """

    middle: np.datetime64
    first: float | None
    second: float | None
    first_count: int
    second_count: int


def both_halves(
    returns: np.ndarray, days: np.ndarray, since: np.datetime64, until: np.datetime64
) -> Halves:
    """Return the mean trade of each half of the period, cut by the calendar and not by trades.

    Parameters
    ----------
    returns : float64[n]
        Of the trades, fractions.
    days : datetime64[D][n]
        UTC date of each.
    since, until
        The period ``[since, until)``, UTC dates; of an odd number of days the second half has
        one more.

    Returns
    -------
    Halves
        Of ``[since, middle)`` and ``[middle, until)``.

    Raises
    ------
    ValueError
        If a return or a day is unknown, the period has fewer than two days, or a trade lies
        outside of it.
    """
    known = as_returns(returns, "returns")
    dates = as_labels(days, "days", known.size).astype("datetime64[D]")
    low, high = (np.datetime64(edge, "D") for edge in (since, until))
    length = int((high - low).astype(np.int64))
    if length < 2:
        raise ValueError(f"the period must have 2 days or more, not {length}")
    outside = (dates < low) | (dates >= high)
    if outside.any():
        raise ValueError(f"days must lie in [{low}, {high}); {dates[outside][0]} does not")
    middle = low + length // 2
    early = dates < middle
    return Halves(
        middle,
        mean_trade(known[early]),
        mean_trade(known[~early]),
        int(early.sum()),
        int((~early).sum()),
    )


def _remainder(returns: np.ndarray, best: np.ndarray) -> Remainder:
    """Return what is left without the best, of which a flag tells."""
    whole = float(returns.sum())
    return Remainder(
        mean_trade(returns[~best]),
        int(best.sum()),
        float(returns[best].sum()) / whole if whole > 0 else None,
    )
