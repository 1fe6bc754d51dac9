"""This module says in words what was tried, and which tests the best setting does not pass."""

from collections.abc import Iterator, Sequence

import numpy as np

from backtest.search.survives import DAYS_OF_YEAR, LEVEL, Survivor
from backtest.search.table import Table
from backtest.worded import length

SURE = 1 - LEVEL
TESTS = "six"


def failed(left: Survivor) -> list[str]:
    """Return, one sentence each, the tests that the best setting does not pass."""
    return [*_by_trials(left), *_by_choice(left)]


def in_words(
    table: Table, left: Survivor, coins: Sequence[str], command: str | None
) -> list[str]:
    """Return what was tried, what the best is, and what is left of it.

    Parameters
    ----------
    table, left
        The settings, and what is left of the best.
    coins
        They were tried on.
    command
        Asks for the best setting as a study; None: no command line can.
    """
    days, settings = table.daily.shape
    said = [
        f"{settings} settings of {table.rule} were tried on {', '.join(coins)} over {days} "
        f"days; with their choice and what was tried before, {left.trials} trials of this "
        "rule or these coins in this period count."
    ]
    if left.best is None or left.deflated is None:
        return [*said, "No setting has daily returns that vary: nothing survives."]
    said.append(
        f"The best ({table.words(left.best)}) earned {table.total[left.best] * 100:+.2f} % "
        f"with a Sharpe ratio of {_yearly(left.deflated.sharpe)} a year; the best of so many "
        f"trials without an edge is expected to show {_yearly(left.deflated.expected)}."
    )
    said += _earned_elsewhere(left)
    if reasons := failed(left):
        return [*said, *(f"Failed: {reason}." for reason in reasons), "Nothing survives."]
    asked = "from Python, as no command line tells all of its terms" if command is None else ""
    return [
        *said,
        f"The best setting survives these {TESTS} tests of a sweep, which knows no placebo, no "
        "rule without the map and no interval of the mean attempt; ask it as a study before "
        f"believing it: {asked or command}",
    ]


def _by_trials(left: Survivor) -> Iterator[str]:
    sure = None if left.deflated is None else left.deflated.probability
    if sure is None or sure < SURE:
        yield (
            f"the deflated Sharpe ratio is {_number(sure)}, and {SURE} is asked: the "
            "chance that it is above what luck gives the best of so many trials"
        )
    if left.pbo is None or left.pbo >= 0.5:
        yield (
            f"the probability of overfitting is {_number(left.pbo)}, and less than 0.5 is "
            "asked: how often the best of half of the days is in the lower half on the "
            "others"
        )
    if left.years_needed is None:
        yield "the Sharpe ratio found is not above 0"
    elif left.years < left.years_needed:
        yield (
            f"{length(left.years)} are too short: of {left.trials} trials without an "
            f"edge the best shows as much in {length(left.years_needed)}"
        )


def _by_choice(left: Survivor) -> Iterator[str]:
    if left.named is None:
        yield "there are too few days to tell which settings beat doing nothing (StepM)"
    elif left.best not in left.named.settings:
        yield (
            "it is not among the settings that beat doing nothing, where a chance of "
            f"{LEVEL * 100:.0f} % is left that even one is named wrongly (StepM)"
        )
    if left.forward is None:
        yield "there are too few days to choose on the past and score on the next"
    elif left.forward.sure is None or left.forward.sure < SURE:
        yield (
            "chosen on the past, the Sharpe ratio afterwards is above 0 with a certainty "
            f"of {_number(left.forward.sure)}, and {SURE} is asked"
        )
    if left.ways is None:
        yield "there are too few days to choose on some and score on the others both ways"
    elif left.ways.lost > LEVEL:
        yield (
            f"chosen on other days, {left.ways.lost * 100:.0f} % of {len(left.ways.sharpes)} "
            f"ways through the period do not earn, and {LEVEL * 100:.0f} % is asked at most"
        )


def _earned_elsewhere(left: Survivor) -> Iterator[str]:
    if left.named is not None:
        count = len(left.named.settings)
        yield (
            f"Of {len(left.named.compared)} settings compared {count or 'none'} "
            f"{'beats' if count == 1 else 'beat'} doing nothing, with a chance of "
            f"{LEVEL * 100:.0f} % that even one is named wrongly (StepM)."
        )
    if left.forward is not None:
        yield (
            f"Chosen on the past {left.forward.choices} times, settings earned "
            f"{left.forward.mean * 1e4:+.2f} bp a day on the {left.forward.days} days after."
        )
    if left.ways is not None:
        low, high = min(left.ways.sharpes), max(left.ways.sharpes)
        yield (
            f"Chosen on the days around {left.ways.choices} times (combinatorial purged "
            f"cross-validation), {len(left.ways.sharpes)} ways through the period have Sharpe "
            f"ratios of {_yearly(left.ways.median)} a year in the median, {_yearly(low)} to "
            f"{_yearly(high)}; {left.ways.lost * 100:.0f} % of them are not above 0."
        )


def _yearly(daily: float) -> str:
    return f"{daily * np.sqrt(DAYS_OF_YEAR):.2f}"


def _number(value: float | None) -> str:
    return "not known" if value is None else f"{value:.2f}"
