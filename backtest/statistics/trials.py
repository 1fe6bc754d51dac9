"""This module says what the number of trials does to the best of them.

References
----------
.. [1] D. H. Bailey, M. López de Prado, "The Deflated Sharpe Ratio: Correcting for Selection
   Bias, Backtest Overfitting and Non-Normality", Journal of Portfolio Management 40(5), 2014.
.. [2] D. H. Bailey, J. M. Borwein, M. López de Prado, Q. J. Zhu, "Pseudo-Mathematics and
   Financial Charlatanism: The Effects of Backtest Overfitting on Out-of-Sample Performance",
   Notices of the American Mathematical Society 61(5), 2014.
"""

import math
from statistics import NormalDist

import numpy as np

from backtest.statistics.returns import as_returns, scaled

NORMAL = NormalDist()


def expected_maximum(trials: float) -> float:
    """Return the expected largest of ``trials`` independent draws of a standard normal.

    Parameters
    ----------
    trials
        1 or more; need not be whole, as effective numbers are not.

    Returns
    -------
    float
        In standard deviations; 0 for a single trial.

    Raises
    ------
    ValueError
        If there is less than one trial.

    Notes
    -----
    The approximation of [1], appendix A.1, and [2], proposition 1, with Euler's γ::

        (1 - γ) Φ⁻¹(1 - 1/N) + γ Φ⁻¹(1 - 1/(N e))

    Against the integral it is 8 % too small at 2 trials, and from 3 on up to 2.6 % too large
    (at 6; 0.9 % at 100).  Between 1 and 2 trials it falls below 0, which no mean of a largest
    does: 0 stands there.
    """
    if not (trials >= 1 and math.isfinite(trials)):
        raise ValueError(f"trials must be 1 or more, not {trials}")
    if trials == 1:
        return 0.0
    largest = NORMAL.inv_cdf(1 - 1 / trials), NORMAL.inv_cdf(1 - 1 / (trials * math.e))
    return max((1 - np.euler_gamma) * largest[0] + np.euler_gamma * largest[1], 0.0)


def expected_maximum_sharpe(trials: float, variance: float) -> float:
    """Return the Sharpe ratio that the best of ``trials`` reaches where none has an edge.

    Parameters
    ----------
    trials
        Independent trials, 1 or more.
    variance
        Variance of their Sharpe ratios; its period is the answer's, squared (the variance of
        annualised ratios over 250 is that of daily ones).

    Returns
    -------
    float
        SR0 of [1], equation 1, with a mean of 0.

    Raises
    ------
    ValueError
        If there is less than one trial, or the variance is negative or unknown.
    """
    if not (variance >= 0 and math.isfinite(variance)):
        raise ValueError(f"variance must be 0 or more, not {variance}")
    return math.sqrt(variance) * expected_maximum(trials)


def minimum_backtest_length(trials: float, sharpe: float = 1.0) -> float:
    """Return how many years keep the best of ``trials`` without an edge below ``sharpe``.

    Parameters
    ----------
    trials
        Independent trials, 1 or more.
    sharpe
        Annualised, above 0: what the best of them is expected to show at this length.

    Returns
    -------
    float
        Years; with a shorter period the best is expected to look better than ``sharpe``.  0
        for a single trial.

    Raises
    ------
    ValueError
        If there is less than one trial, or ``sharpe`` is not above 0.

    Notes
    -----
    [2], theorem 2: ``(E[max] / sharpe)²``, which is below ``2 ln N / sharpe²``.  Five years
    carry 45 trials, and no more, before a Sharpe ratio of 1 is to be expected of nothing.
    """
    if not (sharpe > 0 and math.isfinite(sharpe)):
        raise ValueError(f"sharpe must be above 0, not {sharpe}")
    return (expected_maximum(trials) / sharpe) ** 2


def effective_trials(trials: int, correlation: float) -> float:
    """Return how many independent trials correlated ones amount to.

    Parameters
    ----------
    trials
        Counted trials, 1 or more.
    correlation
        Mean correlation of their returns, each pair once, from -1 to 1.

    Returns
    -------
    float
        From 1 (all the same) to ``trials`` (none alike).  A negative mean counts as 0: no
        trials are more than they are.

    Raises
    ------
    ValueError
        If there is less than one trial, or the correlation is none.

    Notes
    -----
    [1], appendix A.3: ``ρ + (1 - ρ) N``.  It is a rule of thumb, lenient where trials come in
    groups, and therefore never used unless it is asked for: every counted trial stands as its
    own.
    """
    if not trials >= 1:
        raise ValueError(f"trials must be 1 or more, not {trials}")
    if not -1 <= correlation <= 1:
        raise ValueError(f"correlation must lie between -1 and 1, not {correlation}")
    alike = max(correlation, 0.0)
    return alike + (1 - alike) * trials


def mean_correlation(returns: np.ndarray) -> float | None:
    """Return the mean correlation of trials, each pair once.

    Parameters
    ----------
    returns : float64[t, n]
        Returns of ``n`` trials over the same ``t`` periods, fractions.

    Returns
    -------
    float or None
        None: fewer than two trials or two periods.

    Raises
    ------
    ValueError
        If a return is unknown, or those of a trial do not vary.

    Notes
    -----
    The variance of the sum of standardised columns is the sum of all correlations: O(t n).
    """
    known = as_returns(returns, "returns", 2)
    periods, trials = known.shape
    if periods < 2 or trials < 2:
        return None
    still = np.flatnonzero(np.ptp(known, axis=0) == 0)
    if still.size:
        raise ValueError(f"returns of trial {still[0]} do not vary and correlate with nothing")
    known = scaled(known)
    standard = (known - known.mean(axis=0)) / known.std(axis=0)
    whole = float((standard.sum(axis=1) ** 2).mean())
    return (whole - trials) / (trials * (trials - 1))
