"""This module says what choosing the best setting on some days would have earned on others."""

from dataclasses import dataclass

import numpy as np

from backtest.search.table import sharpes
from backtest.statistics.probabilistic import moments, probabilistic_sharpe
from backtest.statistics.splits import combinatorial, paths, walk_forward

DAY_US = 86_400_000_000
# Of the days there are: fitted on at first, and tested at a time.
TRAIN, TEST = 0.5, 0.1
# Runs of days, how many are tested at a time, and the fewest days of a run.
GROUPS, TESTED, FEWEST = 8, 2, 5


@dataclass(frozen=True, slots=True)
class Forward:
    """What choosing the best setting of the past would have earned on the days after.

    Attributes
    ----------
    days, choices
        Days tested, and how often was chosen.
    mean
        Return of a day.
    sharpe, sure
        Of those days: mean over deviation, and how sure it is that the true one is above 0;
        None: they do not vary.
    """

    days: int
    choices: int
    mean: float
    sharpe: float | None
    sure: float | None


@dataclass(frozen=True, slots=True)
class Ways:
    """What choosing on some runs of days earned on the others, many ways through the period.

    Attributes
    ----------
    sharpes
        Of one day, one a way, each over all days; 0 where a way's days do not vary.
    choices
        How often was chosen.
    """

    sharpes: tuple[float, ...]
    choices: int

    @property
    def median(self) -> float:
        """Return the median of the ratios."""
        return float(np.median(self.sharpes))

    @property
    def lost(self) -> float:
        """Return the share of ways whose ratio is not above 0."""
        return float(np.mean([one <= 0 for one in self.sharpes]))


def forward(daily: np.ndarray, embargo_days: int) -> Forward | None:
    """Choose the setting with the best Sharpe ratio of the past, and take its next days.

    Parameters
    ----------
    daily : float64[d, s]
        Returns of each day and setting.
    embargo_days
        Days before those tested that are not fitted on.

    Returns
    -------
    Forward or None
        None: fewer than 20 days, or none is left to fit on.

    Notes
    -----
    At first half of the days are fitted on, then all before those tested, a tenth at a time.
    A choice is made of settings whose past returns vary; where none do, the days count as 0.
    """
    days = daily.shape[0]
    if days < 20:
        return None
    start = np.arange(days) * DAY_US
    train, test = (int(share * days) * DAY_US for share in (TRAIN, TEST))
    splits = walk_forward(
        start, start + DAY_US - 1, train, test, embargo_days * DAY_US, anchored=True
    )
    earned: list[np.ndarray] = []
    for split in splits:
        if split.train.size < 2:
            return None
        earned.append(_earned(daily, split.train, split.test))
    made = np.concatenate(earned)
    found = moments(made)
    return Forward(
        made.size,
        len(earned),
        float(made.mean()),
        None if found is None else found.sharpe,
        None if found is None else probabilistic_sharpe(found),
    )


def ways(daily: np.ndarray, embargo_days: int) -> Ways | None:
    """Choose on all but two of eight runs of days, purged, and join what the two earned.

    Parameters
    ----------
    daily : float64[d, s]
        Returns of each day and setting.
    embargo_days
        Days before and after those tested that are not fitted on: as long as a trade may last,
        so that no trade is both chosen by and tested on.

    Returns
    -------
    Ways or None
        Combinatorial purged cross-validation: 28 choices make 7 ways.  None: fewer than 40
        days, or a choice has fewer than 2 left to fit on.

    Notes
    -----
    A way is no forecast, for some of what it fits on comes after what it tests: it says how
    much of the walk forward is luck of where the period was cut.
    """
    days = daily.shape[0]
    if days < GROUPS * FEWEST:
        return None
    start = np.arange(days) * DAY_US
    # What a day earned is known when the longest trade of that day is over.
    end = start + (embargo_days + 1) * DAY_US - 1
    made = np.zeros((paths(GROUPS, TESTED), days))
    choices = 0
    for split in combinatorial(start, end, GROUPS, TESTED):
        if split.train.size < 2:
            return None
        made[split.path, split.test] = _earned(daily, split.train, split.test)
        choices += 1
    found = [moments(way) for way in made]
    return Ways(tuple(0.0 if one is None else one.sharpe for one in found), choices)


def _earned(daily: np.ndarray, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return what the best setting of some days earned on others; 0 where none varied."""
    ratios = sharpes(daily[train])
    if np.isnan(ratios).all():
        return np.zeros(test.size)
    return daily[test, np.nanargmax(ratios)]
