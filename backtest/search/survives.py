"""This module says what is left of the best of many settings."""

from dataclasses import dataclass

import numpy as np

from backtest.search.choice import Forward, Ways, forward, ways
from backtest.search.table import Table
from backtest.statistics.deflated import Deflated, deflate, variance_of
from backtest.statistics.overfitting import overfitting
from backtest.statistics.superiority import superior_ones
from backtest.statistics.trials import minimum_backtest_length

DAYS_OF_YEAR = 365
LEVEL = 0.05
# Settings that are compared with each other; of more some are drawn, for memory and time.
MOST_COMPARED = 5_000
# Of the probability of overfitting: most and fewest blocks, and the fewest days of one.
BLOCKS, FEWEST_BLOCKS, FEWEST_DAYS = 16, 8, 5


@dataclass(frozen=True, slots=True)
class Named:
    """The settings that beat doing nothing, by StepM.

    Attributes
    ----------
    settings
        Their rows in the table: a chance of 5 % that even one is there wrongly.
    compared
        Rows of all that were compared.
    """

    settings: frozenset[int]
    compared: frozenset[int]


@dataclass(frozen=True, slots=True)
class Survivor:
    """The best setting, and what is left of it.

    Attributes
    ----------
    best
        Its row in the table of settings; None: no setting has a Sharpe ratio.
    deflated
        By all trials of the lake; None: there is no best.
    pbo
        Probability of overfitting; None: too few settings or days.
    years_needed, years
        What keeps the best of so many trials without an edge below the Sharpe ratio found, and
        what there is; None: it is not above 0.
    forward
        Of the walk forward; None: too few days.
    ways
        Of combinatorial purged cross-validation; None: too few days.
    named
        What beats doing nothing; None: too few days.
    trials
        Of the lake, of this rule or these coins in this period.
    """

    best: int | None
    deflated: Deflated | None
    pbo: float | None
    years_needed: float | None
    years: float
    forward: Forward | None
    ways: Ways | None
    named: Named | None
    trials: int


def survivor(table: Table, trial_sharpes: np.ndarray, embargo_days: int, seed: int) -> Survivor:
    """Say what is left of the best setting of a search.

    Parameters
    ----------
    table
        The settings and their daily returns.
    trial_sharpes : float64[n]
        Of one day, of all trials in the lake that count; NaN: none.
    embargo_days
        How far from the days tested no day is fitted on: as long as a trade may last.
    seed
        Of the settings that are compared, where there are too many, and of drawn blocks.
    """
    years = table.daily.shape[0] / DAYS_OF_YEAR
    best, trials = table.best, trial_sharpes.size
    deflated = (
        None
        if best is None
        else deflate(table.daily[:, best], trials, variance_of(trial_sharpes))
    )
    if best is None or deflated is None:
        return Survivor(None, None, None, None, years, None, None, None, trials)
    found = deflated.sharpe * np.sqrt(DAYS_OF_YEAR)
    return Survivor(
        best,
        deflated,
        pbo(table.daily, best, seed),
        minimum_backtest_length(trials, found) if found > 0 else None,
        years,
        forward(table.daily, embargo_days),
        ways(table.daily, embargo_days),
        named(table.daily, best, embargo_days, seed),
        trials,
    )


def pbo(daily: np.ndarray, best: int, seed: int) -> float | None:
    """Return the probability of overfitting of a choice among settings.

    Parameters
    ----------
    daily : float64[d, s]
        Returns of each day and setting.
    best
        The one chosen: it is compared whatever else is drawn.
    seed
        Of the settings that are compared, where there are too many.

    Returns
    -------
    float or None
        None: one setting, which is no choice, or fewer than 8 blocks of 5 days: of 12 days in 6
        blocks of two there are 20 halves, of six days each, and what they say is chance.

    Raises
    ------
    ValueError
        If a setting returns the same, and not 0, throughout half of the days.
    """
    days, settings = daily.shape
    blocks = min(BLOCKS, days // FEWEST_DAYS // 2 * 2)
    if settings < 2 or blocks < FEWEST_BLOCKS:
        return None
    return overfitting(daily[:, _compared(settings, best, seed)], blocks).probability


def named(daily: np.ndarray, best: int, embargo_days: int, seed: int) -> Named | None:
    """Return the settings that beat doing nothing, all that are compared considered.

    Parameters
    ----------
    daily, best, seed
        As in :func:`pbo`; the seed is of the drawn blocks of days too.
    embargo_days
        As long as a trade may last: blocks are longer than that, and as long as the cube root
        of the days at least (Hall, Horowitz and Jing 1995).

    Returns
    -------
    Named or None
        None: fewer than 20 days.

    Raises
    ------
    ValueError
        If a setting returns the same, and not 0, every day.
    """
    compared = _compared(daily.shape[1], best, seed)
    days = daily.shape[0]
    block = min(max(days ** (1 / 3), embargo_days + 1), days)
    rng = np.random.default_rng(seed)
    ones = superior_ones(daily[:, compared], np.zeros(days), rng, LEVEL, block)
    if ones is None:
        return None
    return Named(frozenset(compared[ones].tolist()), frozenset(compared.tolist()))


def _compared(settings: int, best: int, seed: int) -> np.ndarray:
    """Return the rows that are compared: all, or of too many the best and others by lot."""
    compared = np.arange(settings)
    if settings <= MOST_COMPARED:
        return compared
    others = np.delete(compared, best)
    drawn = np.random.default_rng(seed).choice(others, MOST_COMPARED - 1, replace=False)
    return np.sort(np.append(drawn, best))
