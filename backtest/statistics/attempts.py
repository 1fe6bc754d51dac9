"""This module averages over attempts: an order that was not filled earned 0, and counts.

A mean over filled orders alone leaves out the cost of waiting: orders are filled when the
market comes to them, which is when it is against them.
"""

import numpy as np

from backtest.statistics.returns import as_labels, as_returns


def as_attempts(
    returns: np.ndarray, days: np.ndarray, unfilled_days: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return one return and one day for each attempt, for whatever statistic comes next.

    Parameters
    ----------
    returns : float64[n]
        Of the trades that came of filled orders, fractions, after costs.
    days : datetime64[D][n]
        UTC date of each.
    unfilled_days : datetime64[D][k]
        UTC date of each order that was placed and not filled.

    Returns
    -------
    returns : float64[n + k]
        Those of the trades, then ``k`` zeros.
    days : datetime64[D][n + k]
        The date of each.

    Raises
    ------
    ValueError
        If a return or a date is unknown, or there are not as many days as returns.
    """
    known = as_returns(returns, "returns")
    filled = as_labels(days, "days", known.size)
    missed = as_labels(unfilled_days, "unfilled_days", np.size(unfilled_days))
    return (
        np.concatenate([known, np.zeros(missed.size)]),
        np.concatenate([filled, missed]) if missed.size else filled,
    )


def attempt_mean(returns: np.ndarray, unfilled: int) -> float | None:
    """Return the mean of attempts.

    Parameters
    ----------
    returns : float64[n]
        Of the trades that came of filled orders, fractions, after costs.
    unfilled
        Orders that were placed and not filled.

    Returns
    -------
    float or None
        None: no attempt.

    Raises
    ------
    ValueError
        If a return is unknown, or ``unfilled`` is below 0.

    >>> attempt_mean(np.array([0.03, 0.01]), 2)
    0.01
    """
    known = as_returns(returns, "returns")
    if unfilled < 0:
        raise ValueError(f"unfilled must be 0 or more, not {unfilled}")
    attempts = known.size + unfilled
    return float(known.sum() / attempts) if attempts else None
