"""This module says how many days count as one, where trades outlast a day.

Trades that are held over the same days share their market, whichever day they began on.  In
800 made-up years of eight coins (correlation 0.7, no edge) a mean whose error is clustered by
the day of entry was told from 0 at 5 % in 6 % of them for trades of one day, 12 % of two, 16 %
of three, 31 % of ten and 37 % of thirty; by stretches of three times as many days, less two, in
6, 6, 7, 7 and 8 %: neighbours still share what lies across the cut.

References
----------
.. [1] C. A. Bester, T. G. Conley, C. B. Hansen, "Inference with Dependent Data Using Cluster
   Covariance Estimators", Journal of Econometrics 165(2), 2011: large neighbouring groups of a
   dependent series.
"""

import math

import numpy as np

# Nearly all trades are over by then; the longest of them would make one cluster of all.
MOST_ARE_OVER = 0.95


def days_alike(held: np.ndarray) -> int:
    """Return of how many days one cluster is.

    Parameters
    ----------
    held : float64[n]
        How long each trade was held, days.

    Examples
    --------
    >>> days_alike(np.array([0.2, 1.0])), days_alike(np.array([2.0])), days_alike(np.zeros(0))
    (1, 4, 1)
    """
    if not held.size:
        return 1
    lasts = float(np.quantile(held, MOST_ARE_OVER, method="inverted_cdf"))
    return max(1, math.ceil(round(3 * lasts - 2, 9)))


def first_days(days: np.ndarray, length: int) -> np.ndarray:
    """Return the first day of the stretch that each day lies in; stretches begin anywhere.

    Parameters
    ----------
    days : datetime64[D][n]
        UTC dates.
    length
        Days of a stretch.

    Examples
    --------
    >>> first_days(np.array(["1970-01-06", "1970-01-09"], "datetime64[D]"), 4)
    array(['1970-01-05', '1970-01-09'], dtype='datetime64[D]')
    """
    since = days.astype("datetime64[D]").astype(np.int64)
    return (since // length * length).astype("datetime64[D]")
