"""This module compares trades with the map to those without, day by day."""

from dataclasses import dataclass

import numpy as np

from backtest.statistics.measures import mean_trade

DRAWS = 5_000


@dataclass(frozen=True, slots=True)
class Comparison:
    """The mean trade with the map against the one without.

    Attributes
    ----------
    trades_with, trades_without
        Numbers of trades.
    days
        UTC days on which either entered.
    mean_with, mean_without, difference
        Fractions of notional, after costs; null: no trades.
    low, high
        95 % interval of ``difference``; null: none can be drawn.
    p
        Of "not better", one side: how often days drawn anew show no difference or less, their
        own drawing counted as one that does; null as ``low``.
    """

    trades_with: int
    trades_without: int
    days: int
    mean_with: float | None
    mean_without: float | None
    difference: float | None
    low: float | None
    high: float | None
    p: float | None


def compare(
    with_map: np.ndarray,
    with_days: np.ndarray,
    without_map: np.ndarray,
    without_days: np.ndarray,
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> Comparison:
    """Compare two sets of trades over the same days.

    Parameters
    ----------
    with_map, without_map : float64[k], float64[m]
        Returns of the trades, fractions of notional.
    with_days, without_days : datetime64[D][k], datetime64[D][m]
        UTC date each trade entered on.
    rng
        Where the draws come from.
    draws
        Resamples of the interval.

    Notes
    -----
    Trades of one day share its market, across coins and with and without the map, so whole
    days are drawn (with replacement) and both means taken over the same days; the interval is
    of percentiles.  Draws in which a side has no trade say nothing; where they are more than
    one in twenty there is no interval.
    """
    days, number = np.unique(np.concatenate([with_days, without_days]), return_inverse=True)
    here, there = number[: with_days.size], number[with_days.size :]
    means = mean_trade(with_map), mean_trade(without_map)
    counts = (int(with_map.size), int(without_map.size), int(days.size))
    if None in means:
        return Comparison(*counts, *means, None, None, None, None)
    drawn = rng.multinomial(days.size, np.full(days.size, 1 / days.size), size=draws)
    with np.errstate(invalid="ignore", divide="ignore"):
        differences = _mean_over(drawn, here, with_map, days.size) - _mean_over(
            drawn, there, without_map, days.size
        )
    usable = differences[np.isfinite(differences)]
    low = high = p = None
    if days.size > 1 and usable.size >= 0.95 * draws:
        low, high = (float(edge) for edge in np.percentile(usable, [2.5, 97.5]))
        p = float((1 + (usable <= 0).sum()) / (1 + usable.size))
    return Comparison(*counts, *means, means[0] - means[1], low, high, p)


def _mean_over(
    drawn: np.ndarray, day: np.ndarray, returns: np.ndarray, days: int
) -> np.ndarray:
    """Return the mean trade of each draw, whose row says how often it holds each day."""
    total = np.bincount(day, weights=returns, minlength=days)
    count = np.bincount(day, minlength=days)
    return (drawn @ total) / (drawn @ count)
