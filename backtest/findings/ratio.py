"""This module says how far the Sharpe ratio of a study can be believed."""

import math
from dataclasses import dataclass

from backtest.daily import DAYS_OF_YEAR, Daily
from backtest.statistics.deflated import deflate_among
from backtest.statistics.probabilistic import moments, probabilistic_sharpe
from backtest.statistics.trials import minimum_backtest_length
from backtest.trials import Trials


@dataclass(frozen=True, slots=True)
class Ratio:
    """Sharpe ratio of the daily returns of all coins, and what is left of it.

    Attributes
    ----------
    daily, annual
        Of one day, and times the root of 365; None: the returns do not vary.
    probability
        That the true one is above 0, by skew and kurtosis; None: not known.
    trials
        What it was chosen from, itself included.
    expected
        Daily ratio that the best of so many reaches without an edge; None: the trials' spread
        is not known.
    deflated
        Probability that the true one is above that; None as there.
    years, needed_years
        Length there is, and the least that keeps the best of so many trials without an edge
        below this ratio; None: it is not above 0.
    """

    daily: float | None
    annual: float | None
    probability: float | None
    trials: int
    expected: float | None
    deflated: float | None
    years: float
    needed_years: float | None


def ratio(daily: Daily, trials: Trials) -> Ratio:
    """Return the ratio of daily returns, deflated by all trials."""
    years = daily.day.size / DAYS_OF_YEAR
    found = moments(daily.returns)
    if found is None:
        return Ratio(None, None, None, trials.count, None, None, years, None)
    annual = found.sharpe * math.sqrt(DAYS_OF_YEAR)
    less = deflate_among(daily.returns, trials.count, trials.variance)
    return Ratio(
        found.sharpe,
        annual,
        probabilistic_sharpe(found),
        trials.count,
        None if less is None else less.expected,
        None if less is None else less.probability,
        years,
        minimum_backtest_length(trials.count, annual) if annual > 0 else None,
    )
