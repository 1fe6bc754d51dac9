"""This module draws intervals from blocks of periods, as periods depend on their neighbours.

``arch`` draws the blocks and finds their length; it is loaded where it is needed, as loading it
takes seconds.

References
----------
.. [1] D. N. Politis, J. P. Romano, "The Stationary Bootstrap", Journal of the American
   Statistical Association 89(428), 1994.
.. [2] D. N. Politis, H. White, "Automatic Block-Length Selection for the Dependent Bootstrap",
   Econometric Reviews 23(1), 2004, with the correction by A. Patton and both, 28(4), 2009.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from backtest.statistics.returns import as_drawn, as_level, as_returns, scaled

DRAWS = 2_000
# With fewer periods there are too few blocks to draw from.
FEWEST_PERIODS = 20


@dataclass(frozen=True, slots=True)
class Interval:
    """A number with what it may as well have been.

    Attributes
    ----------
    estimate
        Of the periods as they were; None: undefined.
    low, high
        Percentiles of the draws; None: none can be told.
    block
        Mean length of the drawn blocks, periods; None: nothing was drawn.
    """

    estimate: float | None
    low: float | None
    high: float | None
    block: float | None


def mean(returns: np.ndarray) -> float:
    """Return the mean of returns, per period."""
    return float(returns.mean())


def sharpe(returns: np.ndarray) -> float:
    """Return the Sharpe ratio of one period; NaN where returns do not vary."""
    if np.ptp(returns) == 0:
        return float("nan")
    return float(returns.mean() / returns.std(ddof=1))


def block_length(returns: np.ndarray) -> float | None:
    """Return the mean block length that suits how returns depend on each other.

    Parameters
    ----------
    returns : float64[t]
        One per period, fractions, in order of time.

    Returns
    -------
    float or None
        Periods, from 1 to ``t / 2``, by [2].  None: fewer than 20 returns, or all the same.

    Raises
    ------
    ValueError
        If a return is unknown.
    """
    from arch.bootstrap import optimal_block_length

    known = as_returns(returns, "returns")
    if known.size < FEWEST_PERIODS or np.ptp(known) == 0:
        return None
    # The selection takes powers of the variance.
    found = float(optimal_block_length(scaled(known))["stationary"].iloc[0])
    return float(np.clip(found, 1.0, known.size / 2))


def interval(
    returns: np.ndarray,
    rng: np.random.Generator,
    statistic: Callable[[np.ndarray], float] = mean,
    level: float = 0.95,
    draws: int = DRAWS,
    block: float | None = None,
) -> Interval:
    """Return a statistic of returns with its interval by the stationary block bootstrap.

    Parameters
    ----------
    returns : float64[t]
        One per period, fractions, in order of time.
    rng
        Where the draws come from.
    statistic
        ``mean`` or ``sharpe``, or any function of returns; NaN where it is undefined.
    level
        How much of the draws the interval holds, between 0 and 1.
    draws
        Resamples.
    block
        Mean length of the blocks, periods, from 1 to ``t``; None: ``block_length``.

    Returns
    -------
    Interval
        Of percentiles, which [1] justifies for smooth functions of means.  Without bounds where
        there are fewer than 20 returns, where they do not vary, or where the statistic is
        undefined in more than one draw in twenty.

    Raises
    ------
    ValueError
        If a return is unknown, the level no probability, or draws or block cannot be.
    """
    known = as_returns(returns, "returns")
    return _interval(known, known, rng, statistic, level, draws, block)


def difference(
    returns: np.ndarray,
    others: np.ndarray,
    rng: np.random.Generator,
    statistic: Callable[[np.ndarray], float] = mean,
    level: float = 0.95,
    draws: int = DRAWS,
    block: float | None = None,
) -> Interval:
    """Return by how much a statistic of returns exceeds that of others over the same periods.

    Parameters
    ----------
    returns, others : float64[t]
        One per period, fractions, in order of time; the same periods, which are drawn together.
    rng, statistic, level, draws, block
        As in ``interval``; the block length is that of the differences.

    Returns
    -------
    Interval
        Of the statistic of ``returns`` less that of ``others``; without bounds as in
        ``interval``.

    Raises
    ------
    ValueError
        As in ``interval``, or if there are not as many others as returns.
    """
    both = np.column_stack(_paired(returns, others))
    return _interval(
        both,
        both[:, 0] - both[:, 1],
        rng,
        lambda pair: statistic(pair[:, 0]) - statistic(pair[:, 1]),
        level,
        draws,
        block,
    )


def _paired(returns: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both, if they are as many."""
    one, two = as_returns(returns, "returns"), as_returns(others, "others")
    if one.size != two.size:
        raise ValueError(f"others must be as many as returns: {two.size}, not {one.size}")
    return one, two


def _interval(
    rows: np.ndarray,
    series: np.ndarray,
    rng: np.random.Generator,
    statistic: Callable[[np.ndarray], float],
    level: float,
    draws: int,
    block: float | None,
) -> Interval:
    """Draw whole rows, in blocks whose length suits ``series``."""
    from arch.bootstrap import StationaryBootstrap

    tail = (1 - as_level(level, "level")) / 2
    as_drawn(draws, block, series.size)
    estimate = statistic(rows) if rows.shape[0] else float("nan")
    told = estimate if np.isfinite(estimate) else None
    length = block_length(series)
    if told is None or length is None:
        return Interval(told, None, None, None)
    length = length if block is None else float(block)
    drawn = StationaryBootstrap(length, rows, seed=rng).apply(statistic, draws)[:, 0]
    usable = drawn[np.isfinite(drawn)]
    if usable.size < 0.95 * draws:
        return Interval(told, None, None, length)
    low, high = np.quantile(usable, [tail, 1 - tail])
    return Interval(told, float(low), float(high), length)
