"""This module measures a replay, and says no more than its trades can carry."""

from dataclasses import dataclass

import numpy as np

FEWEST_TRADES = 30
FEWEST_DAYS = 20
DRAWS = 5_000


def total_return(equity: np.ndarray, start_equity: float) -> float:
    """Return end equity over start equity, less 1.

    >>> total_return(np.array([100.0, 110.0]), 100.0)
    0.10000000000000009
    """
    return float(equity[-1] / start_equity - 1) if equity.size else 0.0


def max_drawdown(equity: np.ndarray, start_equity: float) -> float:
    """Return the largest fall from a peak, as a fraction of it; the start counts as a peak.

    >>> max_drawdown(np.array([110.0, 88.0, 120.0, 108.0]), 100.0)
    0.2
    """
    whole = np.concatenate([[start_equity], equity])
    peak = np.maximum.accumulate(whole)
    return float(((peak - whole) / peak).max())


def mean_trade(returns: np.ndarray) -> float | None:
    """Return the mean of the trades' returns; null: no trades."""
    return float(returns.mean()) if returns.size else None


def hit_rate(returns: np.ndarray) -> float | None:
    """Return the share of trades that earned more than nothing; null: no trades."""
    return float((returns > 0).mean()) if returns.size else None


def sharpe(equity: np.ndarray, start_equity: float, per_year: float) -> float | None:
    """Return the annualised Sharpe ratio of the bars' returns, without a riskless rate.

    Parameters
    ----------
    equity : float64[n]
        At each close, USD.
    start_equity
        Before the first bar, USD.
    per_year
        Bars of a year.

    Returns
    -------
    float or None
        Null where it is undefined: fewer than two bars, returns that do not vary, or equity
        that is not above 0 throughout.
    """
    whole = np.concatenate([[start_equity], equity])
    if equity.size < 2 or (whole <= 0).any():
        return None
    returns = whole[1:] / whole[:-1] - 1
    spread = returns.std(ddof=1)
    if spread == 0:
        return None
    return float(returns.mean() / spread * np.sqrt(per_year))


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
    """

    trades_with: int
    trades_without: int
    days: int
    mean_with: float | None
    mean_without: float | None
    difference: float | None
    low: float | None
    high: float | None

    @property
    def edge(self) -> int:
        """Return +1 or -1 where enough trades put the whole interval on one side of 0."""
        if min(self.trades_with, self.trades_without) < FEWEST_TRADES or self.low is None:
            return 0
        return int(self.low > 0) - int(self.high < 0)


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
        return Comparison(*counts, *means, None, None, None)
    drawn = rng.multinomial(days.size, np.full(days.size, 1 / days.size), size=draws)
    with np.errstate(invalid="ignore", divide="ignore"):
        differences = _mean_over(drawn, here, with_map, days.size) - _mean_over(
            drawn, there, without_map, days.size
        )
    usable = differences[np.isfinite(differences)]
    low = high = None
    if days.size > 1 and usable.size >= 0.95 * draws:
        low, high = (float(edge) for edge in np.percentile(usable, [2.5, 97.5]))
    return Comparison(*counts, *means, means[0] - means[1], low, high)


def _mean_over(
    drawn: np.ndarray, day: np.ndarray, returns: np.ndarray, days: int
) -> np.ndarray:
    """Return the mean trade of each draw, whose row says how often it holds each day."""
    total = np.bincount(day, weights=returns, minlength=days)
    count = np.bincount(day, minlength=days)
    return (drawn @ total) / (drawn @ count)
