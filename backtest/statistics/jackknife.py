"""This module gives an error to means over few clusters, of which some hold more than others.

References
----------
.. [1] J. G. MacKinnon, M. Ø. Nielsen, M. D. Webb, "Cluster-Robust Inference: A Guide to
   Empirical Practice", Journal of Econometrics 232(2), 2023: the cluster jackknife (CV3),
   section 5, right for fewer and less even clusters than the sandwich is.
.. [2] A. V. Carter, K. T. Schnepel, D. G. Steigerwald, "Asymptotic Behavior of a t-Test Robust
   to Cluster Heterogeneity", Review of Economics and Statistics 99(4), 2017: the effective
   number of clusters, at its least where all of a cluster are alike.
"""

from typing import NamedTuple

import numpy as np


class Jackknifed(NamedTuple):
    """Means and their errors.

    Attributes
    ----------
    mean, error : float64[k]
        In the unit of the values; the error of a single cluster is NaN.
    effective
        How many clusters that held as much as each other would say as much; Student's t has one
        degree of freedom less.
    """

    mean: np.ndarray
    error: np.ndarray
    effective: float


def jackknifed(values: np.ndarray, number: np.ndarray) -> Jackknifed:
    """Return means, with the error that leaving out each cluster in turn tells.

    Parameters
    ----------
    values : float64[n, k]
        One row an observation, one at least.
    number : int64[n]
        Of the cluster of each, from 0 without a hole.

    Notes
    -----
    ``(G - 1) / G · Σ_g (x̄_g - x̄)²``, ``x̄_g`` being the mean without cluster g.  Of clusters
    that hold as much as each other this is the sandwich with its correction for few.
    """
    held = np.bincount(number)
    mean = values.mean(axis=0)
    # Of what nothing varies in, rounding of the mean would be all that is left.
    mean = np.where(np.ptp(values, axis=0) == 0.0, values[0], mean)
    sums = np.zeros((held.size, values.shape[1]))
    np.add.at(sums, number, values - mean)
    if held.size < 2:
        return Jackknifed(mean, np.full(mean.size, np.nan), effective(held))
    apart = sums / (len(values) - held)[:, None]
    error = np.sqrt((held.size - 1) / held.size * (apart**2).sum(axis=0))
    return Jackknifed(mean, error, effective(held))


def effective(held: np.ndarray) -> float:
    """Return how many clusters would say as much if all held as much; 0: there are none.

    Parameters
    ----------
    held : int64[g]
        Observations of each cluster.

    Examples
    --------
    >>> effective(np.array([3, 3, 3, 3])), round(effective(np.array([9, 1, 1, 1])), 2)
    (4.0, 1.07)
    """
    if held.size == 0:
        return 0.0
    squares = (held / held.max()) ** 2
    return float(squares.sum() ** 2 / (squares**2).sum())
