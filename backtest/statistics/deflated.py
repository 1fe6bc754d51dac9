"""This module deflates the Sharpe ratio of the best of many trials by how many there were.

References
----------
.. [1] D. H. Bailey, M. López de Prado, "The Deflated Sharpe Ratio: Correcting for Selection
   Bias, Backtest Overfitting and Non-Normality", Journal of Portfolio Management 40(5), 2014.
"""

from dataclasses import dataclass

import numpy as np

from backtest.statistics.probabilistic import Moments, moments, probabilistic_sharpe
from backtest.statistics.trials import expected_maximum, expected_maximum_sharpe


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
        What the best of the trials reaches by luck (SR0), one period; None: the variance is
        unknown, as fewer than two trials have a Sharpe ratio.
    probability
        The deflated Sharpe ratio, 0 to 1; None: unknown.
    trials
        Independent trials that were counted.
    """

    sharpe: float
    expected: float | None
    probability: float | None
    trials: float


def deflate(
    returns: np.ndarray, trial_sharpes: np.ndarray, trials: float | None = None
) -> Deflated | None:
    """Deflate the Sharpe ratio of the chosen trial by all that were tried.

    Parameters
    ----------
    returns : float64[t]
        Of the chosen trial, one per period, fractions.
    trial_sharpes : float64[n]
        Sharpe ratios of one period of all trials, the chosen one included.  NaN: the trial has
        none (it did not trade); it counts as a trial, and not in the variance.
    trials
        How many independent ones they are (``effective_trials``); None: all ``n``.

    Returns
    -------
    Deflated or None
        None: the chosen returns have no Sharpe ratio.

    Raises
    ------
    ValueError
        If there is less than one trial, a ratio is infinite, or a return unknown.
    """
    ratios = np.asarray(trial_sharpes, dtype=np.float64)
    if ratios.ndim != 1 or ratios.size == 0 or np.isinf(ratios).any():
        raise ValueError("trial_sharpes must be one or more ratios, none of them infinite")
    counted = ratios.size if trials is None else trials
    return deflate_among(returns, counted, variance_of(ratios))


def variance_of(sharpes: np.ndarray) -> float | None:
    """Return the variance of trials' Sharpe ratios; None: fewer than two have one.

    Parameters
    ----------
    sharpes : float64[n]
        NaN: the trial has none.
    """
    known = sharpes[~np.isnan(sharpes)]
    return float(known.var(ddof=1)) if known.size > 1 else None


def deflate_among(
    returns: np.ndarray, trials: float, variance: float | None
) -> Deflated | None:
    """Deflate the Sharpe ratio of the chosen trial by how many were tried, and how unlike.

    Parameters
    ----------
    returns : float64[t]
        Of the chosen trial, one per period, fractions.
    trials
        How many were tried, the chosen one included.
    variance
        Of their Sharpe ratios of one period; None: unknown.

    Returns
    -------
    Deflated or None
        None: the chosen returns have no Sharpe ratio.

    Raises
    ------
    ValueError
        If there is less than one trial, the variance is negative, or a return unknown.
    """
    counted = float(trials)
    alone = expected_maximum(counted) == 0  # one trial is its own best: no variance is needed
    found = moments(returns)
    if found is None:
        return None
    if alone:
        variance = 0.0
    if variance is None:
        return Deflated(found.sharpe, None, None, counted)
    expected = expected_maximum_sharpe(counted, variance)
    return Deflated(found.sharpe, expected, probabilistic_sharpe(found, expected), counted)
