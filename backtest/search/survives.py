"""This module says what is left of the best of many settings, in figures and in words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backtest.search.table import Table, sharpes
from backtest.statistics.deflated import Deflated, deflate
from backtest.statistics.overfitting import overfitting
from backtest.statistics.probabilistic import moments, probabilistic_sharpe
from backtest.statistics.splits import walk_forward
from backtest.statistics.trials import minimum_backtest_length
from backtest.worded import length

DAY_US = 86_400_000_000
DAYS_OF_YEAR = 365
SURE = 0.95
# Settings that are compared on every half of the blocks; of more some are drawn, for memory.
MOST_COMPARED = 5_000
BLOCKS = 16
# Of the days there are: fitted on at first, and tested at a time.
TRAIN, TEST = 0.5, 0.1


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
        None: too few days.
    trials
        Of the lake, on these coins and in this period.
    """

    best: int | None
    deflated: Deflated | None
    pbo: float | None
    years_needed: float | None
    years: float
    forward: Forward | None
    trials: int

    @property
    def failed(self) -> list[str]:
        """Return, one sentence each, the tests that the best setting does not pass."""
        said = []
        sure = None if self.deflated is None else self.deflated.probability
        if sure is None or sure < SURE:
            said.append(
                f"the deflated Sharpe ratio is {_number(sure)}, and {SURE} is asked: the "
                "chance that it is above what luck gives the best of so many trials"
            )
        if self.pbo is None or self.pbo >= 0.5:
            said.append(
                f"the probability of overfitting is {_number(self.pbo)}, and less than 0.5 is "
                "asked: how often the best of half of the days is in the lower half on the "
                "others"
            )
        if self.years_needed is None:
            said.append("the Sharpe ratio found is not above 0")
        elif self.years < self.years_needed:
            said.append(
                f"{length(self.years)} are too short: of {self.trials} trials without an "
                f"edge the best shows as much in {length(self.years_needed)}"
            )
        if self.forward is None:
            said.append("there are too few days to choose on the past and score on the next")
        elif self.forward.sure is None or self.forward.sure < SURE:
            said.append(
                "chosen on the past, the Sharpe ratio afterwards is above 0 with a certainty "
                f"of {_number(self.forward.sure)}, and {SURE} is asked"
            )
        return said


def survivor(
    table: Table, trial_sharpes: np.ndarray, trials: int, embargo_days: int, seed: int
) -> Survivor:
    """Say what is left of the best setting of a search.

    Parameters
    ----------
    table
        The settings and their daily returns.
    trial_sharpes : float64[n]
        Of one day, of all trials in the lake that count; NaN: none.
    trials
        How many those are.
    embargo_days
        How long before the days tested no day is fitted on: as long as a trade may last.
    seed
        Of the settings that are compared, where there are too many.
    """
    days = table.daily.shape[0]
    years = days / DAYS_OF_YEAR
    best = table.best
    deflated = None if best is None else deflate(table.daily[:, best], trial_sharpes, trials)
    if best is None or deflated is None:
        return Survivor(None, None, None, None, years, None, trials)
    found = deflated.sharpe * np.sqrt(DAYS_OF_YEAR)
    needed = minimum_backtest_length(trials, found) if found > 0 else None
    return Survivor(
        best,
        deflated,
        pbo(table.daily, best, seed),
        needed,
        years,
        forward(table.daily, embargo_days),
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
        None: too few settings or days.

    Raises
    ------
    ValueError
        If a setting returns the same, and not 0, throughout half of the days.
    """
    days, settings = daily.shape
    blocks = min(BLOCKS, days // 2 // 2 * 2)
    # One setting is no choice, and a block of fewer than two days has no deviation.
    if settings < 2 or blocks < 2:
        return None
    compared = np.arange(settings)
    if settings > MOST_COMPARED:
        others = np.delete(compared, best)
        drawn = np.random.default_rng(seed).choice(others, MOST_COMPARED - 1, replace=False)
        compared = np.sort(np.append(drawn, best))
    return overfitting(daily[:, compared], blocks).probability


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
        ratios = sharpes(daily[split.train])
        none = np.isnan(ratios).all()
        chosen = np.zeros(split.test.size) if none else daily[split.test, np.nanargmax(ratios)]
        earned.append(chosen)
    made = np.concatenate(earned)
    found = moments(made)
    return Forward(
        made.size,
        len(earned),
        float(made.mean()),
        None if found is None else found.sharpe,
        None if found is None else probabilistic_sharpe(found),
    )


def in_words(table: Table, found: Survivor, coins: Sequence[str]) -> list[str]:
    """Return what was tried, what the best is, and what is left of it."""
    days, settings = table.daily.shape
    said = [
        f"{settings} settings of {table.rule} were tried on {', '.join(coins)} over {days} "
        f"days; with their choice and what was tried before, {found.trials} trials of these "
        "coins in this period count."
    ]
    if found.best is None or found.deflated is None:
        return [*said, "No setting has daily returns that vary: nothing survives."]
    ratio = found.deflated.sharpe * np.sqrt(DAYS_OF_YEAR)
    expected = found.deflated.expected
    luck = "unknown" if expected is None else f"{expected * np.sqrt(DAYS_OF_YEAR):.2f}"
    said.append(
        f"The best ({table.words(found.best)}) earned {table.total[found.best] * 100:+.2f} % "
        f"with a Sharpe ratio of {ratio:.2f} a year; the best of so many trials without an "
        f"edge is expected to show {luck}."
    )
    if found.forward is not None:
        said.append(
            f"Chosen on the past {found.forward.choices} times, settings earned "
            f"{found.forward.mean * 1e4:+.2f} bp a day on the {found.forward.days} days after."
        )
    failed = found.failed
    if failed:
        return [*said, *(f"Failed: {reason}." for reason in failed), "Nothing survives."]
    return [*said, "The best setting survives all four tests."]


def _number(value: float | None) -> str:
    return "not known" if value is None else f"{value:.2f}"
