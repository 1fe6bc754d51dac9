"""This module says how far the Sharpe ratio of a study can be believed."""

import math
from dataclasses import dataclass

from backtest.daily import DAYS_OF_YEAR, Daily
from backtest.statistics.deflated import deflate
from backtest.statistics.probabilistic import (
    minimum_track_record,
    moments,
    probabilistic_sharpe,
)
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
        Daily ratio that the best of so many reaches without an edge; None: as in ``daily``.
    by_spread
        The same by how much the ratios of the trials differ, which decides nothing; None: not
        known, or as in ``daily``.
    deflated
        Probability that the true one is above that; None as there.
    years, needed_years
        Length there is, and the least that keeps the best of so many trials without an edge
        below this ratio; None: it is not above 0.
    record_years
        The least from which on this ratio, taken alone, is believed to be above 0 at 95 %
        (minimum track record length); None: it is not above 0.
    """

    daily: float | None
    annual: float | None
    probability: float | None
    trials: int
    expected: float | None
    by_spread: float | None
    deflated: float | None
    years: float
    needed_years: float | None
    record_years: float | None


def ratio(daily: Daily, trials: Trials) -> Ratio:
    """Return the ratio of daily returns, deflated by all trials."""
    years = daily.day.size / DAYS_OF_YEAR
    found = moments(daily.returns)
    less = deflate(daily.returns, trials.count, trials.variance)
    if found is None or less is None:
        return Ratio(None, None, None, trials.count, *[None] * 3, years, None, None)
    annual = found.sharpe * math.sqrt(DAYS_OF_YEAR)
    record = minimum_track_record(found)
    return Ratio(
        found.sharpe,
        annual,
        probabilistic_sharpe(found),
        trials.count,
        less.expected,
        less.by_spread,
        less.probability,
        years,
        minimum_backtest_length(trials.count, annual) if annual > 0 else None,
        None if record is None else record / DAYS_OF_YEAR,
    )
