"""This module deflates the Sharpe ratio of the best of many trials by how many there were.

References
----------
.. [1] D. H. Bailey, M. López de Prado, "The Deflated Sharpe Ratio: Correcting for Selection
   Bias, Backtest Overfitting and Non-Normality", Journal of Portfolio Management 40(5), 2014.
"""

from dataclasses import dataclass

import numpy as np

from backtest.statistics.probabilistic import Moments, moments, probabilistic_sharpe
from backtest.statistics.trials import (
    expected_maximum,
    expected_maximum_sharpe,
    null_variance,
)


def deflated_sharpe(found: Moments, trials: float, variance: float) -> float | None:
    """Return how sure it is that the best of many trials is better than their best by luck.

    Parameters
    ----------
    found
        Moments of the chosen trial's returns.
    trials
        How many were tried, the chosen one included: every one that was looked at.
    variance
        Variance of the trials' Sharpe ratios of one period.

    Returns
    -------
    float or None
        From 0 to 1: the probabilistic Sharpe ratio against the expected best of the trials,
        [1], equation 2.  None as there.

    Raises
    ------
    ValueError
        If there is less than one trial, or the variance is negative or unknown.

    Notes
    -----
    A test that believes 0.95 and more is far stricter than 5 %: the largest of many varies less
    than one ratio does.  Of 100 trials of noise it passes about 1 best in 700.
    """
    return probabilistic_sharpe(found, expected_maximum_sharpe(trials, variance))


@dataclass(frozen=True, slots=True)
class Deflated:
    """The deflated Sharpe ratio of one trial, with what it was deflated by.

    Attributes
    ----------
    sharpe
        Of the chosen trial, one period.
    expected
        What the best of the trials reaches by luck where none has an edge (SR0), one period.
    by_spread
        What [1] would put there: by the variance of the trials' own ratios, one period.  Told,
        and not used; None: that variance is unknown.
    probability
        The deflated Sharpe ratio, 0 to 1; None: the estimate has no deviation.
    trials
        How many were counted.
    """

    sharpe: float
    expected: float
    by_spread: float | None
    probability: float | None
    trials: float


def deflate(
    returns: np.ndarray, trials: float, variance: float | None = None
) -> Deflated | None:
    """Deflate the Sharpe ratio of the chosen trial by how many were tried.

    Parameters
    ----------
    returns : float64[t]
        Of the chosen trial, one per period, fractions.
    trials
        How many were tried, the chosen one included.
    variance
        Of their Sharpe ratios of one period, told beside; None: unknown.

    Returns
    -------
    Deflated or None
        None: the chosen returns have no Sharpe ratio.

    Raises
    ------
    ValueError
        If there is less than one trial, the variance is negative, or a return unknown.

    Notes
    -----
    SR0 takes the variance that a ratio of ``t`` periods has where there is no edge, not that of
    the trials.  So it never falls when a trial is added, whatever it earned.  And it is not too
    small: trials that are no better than 0 and move together, however alike, have no larger
    best in the mean than as many independent ones (Slepian's inequality).

    The trials' own variance falls with each that is like others: of 300 winners of 100 rules
    without an edge over a year 61 % had a deflated ratio of 0.95 once 2,000 copies of the
    median rule were counted, and none before.  Of independent trials both are the same.  The
    least that is never below [1] and never falls, the largest SR0 of any subset of the trials,
    is 1.4 times too large for 100 independent ones, 1.9 times for 10,000, and has no bound.
    """
    found = moments(returns)
    alone = expected_maximum(float(trials)) == 0  # its own best: no variance is needed
    if found is None:
        return None
    expected = expected_maximum_sharpe(trials, null_variance(found.periods))
    spread = 0.0 if alone else variance
    return Deflated(
        found.sharpe,
        expected,
        None if spread is None else expected_maximum_sharpe(trials, spread),
        probabilistic_sharpe(found, expected),
        float(trials),
    )


def variance_of(sharpes: np.ndarray) -> float | None:
    """Return the variance of trials' Sharpe ratios; None: fewer than two have one.

    Parameters
    ----------
    sharpes : float64[n]
        NaN: the trial has none.
    """
    known = sharpes[~np.isnan(sharpes)]
    return float(known.var(ddof=1)) if known.size > 1 else None
