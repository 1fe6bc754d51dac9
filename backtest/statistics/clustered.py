"""This module gives means a standard error that knows that trades of a day are alike.

References
----------
.. [1] A. C. Cameron, D. L. Miller, "A Practitioner's Guide to Cluster-Robust Inference",
   Journal of Human Resources 50(2), 2015: the sandwich of section II.B with the correction
   ``c`` for few clusters (CR1), and Student's t with one degree of freedom less than
   clusters, section VI.D.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from backtest.statistics.returns import as_labels, as_returns


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean, and how far from 0 it is in units of its error.

    Attributes
    ----------
    mean
        In the unit of the returns; None: no return.
    error
        Standard error of the mean; None: fewer than two clusters.
    t
        Mean over error; None: no error is known, or it is 0.
    p
        Of a true mean of 0, both sides; None as ``t``.
    count, clusters
        Returns, and the clusters they lie in.
    """

    mean: float | None
    error: float | None
    t: float | None
    p: float | None
    count: int
    clusters: int


def clustered_mean(returns: np.ndarray, days: np.ndarray) -> Mean:
    """Return the mean of trades with its standard error clustered by day.

    Parameters
    ----------
    returns : float64[n]
        Of the trades, fractions.
    days : datetime64[D][n]
        The UTC date of each; any labels of clusters will do.

    Returns
    -------
    Mean
        With ``t`` on one degree of freedom less than there are days.

    Raises
    ------
    ValueError
        If a return or a day is unknown, or there are not as many of both.

    Notes
    -----
    ``G / (G - 1) · Σ_g (Σ_{i in g} (x_i - x̄))² / n²``: CR1 of [1] for a regression on a
    constant, whose other factor ``(n - 1) / (n - 1)`` is 1.  Right for many days; with fewer
    than some 40, or a few that hold most trades, it is still too small.
    """
    known = as_returns(returns, "returns")
    labels = as_labels(days, "days", known.size)
    _, number = np.unique(labels, return_inverse=True)
    return _mean(known, number)


def independent_mean(returns: np.ndarray) -> Mean:
    """Return the mean with the error it would have if trades knew nothing of each other.

    Parameters
    ----------
    returns : float64[n]
        Of the trades, fractions.

    Returns
    -------
    Mean
        Each return is its own cluster: ``s / √n``.  For comparison only; of trades that share
        days the error is too small.

    Raises
    ------
    ValueError
        If a return is unknown.
    """
    known = as_returns(returns, "returns")
    return _mean(known, np.arange(known.size))


def _mean(returns: np.ndarray, number: np.ndarray) -> Mean:
    """Return the mean with CR1 errors, given the number of each return's cluster from 0 on."""
    count, clusters = returns.size, int(number.max()) + 1 if number.size else 0
    if count == 0:
        return Mean(None, None, None, None, 0, 0)
    mean = float(returns.mean())
    if clusters < 2:
        return Mean(mean, None, None, None, count, clusters)
    sums = np.bincount(number, weights=returns - mean)
    error = math.sqrt(clusters / (clusters - 1) * float((sums**2).sum())) / count
    # Where nothing differs, what is left of the differences is rounding of the mean.
    if error <= 1e-14 * float(np.abs(returns).max()):
        return Mean(mean, 0.0, None, None, count, clusters)
    t = mean / error
    return Mean(mean, error, t, float(2 * stdtr(clusters - 1, -abs(t))), count, clusters)
