"""This module holds what a study must stand for an edge to be named, test by test."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from backtest.findings.against import FEWEST_DAYS, FEWEST_DRAWS, Against
from backtest.findings.find import Findings, Subject
from backtest.findings.reading import Reading
from backtest.placebos.coin_placebos import MIRRORED, SHUFFLED, TIMES, YESTERDAY
from backtest.strategies.strategy import WITHOUT_MAP
from backtest.worded import adverb, count, earned, p_value, percent, span
from warehouse.report.words import listed

LEVEL = 0.05
FEWEST_ATTEMPTS = 30
# Of the bars asked for; of a period with more holes it is not known what was tested.
FEWEST_BARS = 0.8


@dataclass(frozen=True, slots=True)
class Hurdle:
    """One thing that an edge must stand.

    Attributes
    ----------
    passed
        Null: it cannot be told, which denies an edge too.
    said
        What was found, in words.
    """

    passed: bool | None
    said: str


def shows_edge(findings: Findings) -> bool:
    """Return whether a study stands every test."""
    return all(one.passed for one in hurdles(findings))


def hurdles(findings: Findings) -> Iterator[Hurdle]:
    """Yield each test that an edge must stand, with its figure.

    All costs are charged and nothing is known early; at least 80 % of the bars are held; at
    least 30 attempts on 20 days; the interval above 0 in every reading; both halves of the
    period above 0; better than the same rule without the map in every reading, and than each
    placebo, at 5 %; and a deflated Sharpe ratio of 0.95 or more.

    Yesterday's map is no such placebo: it is old, not meaningless, and of a map that changes
    slowly it knows what today's does.  It says whether an edge rests on how new the map is.
    """
    first = findings.readings[0]
    yield _charged(findings.subject)
    yield _held(findings.subject)
    yield Hurdle(
        first.attempts >= FEWEST_ATTEMPTS and first.days >= FEWEST_DAYS,
        f"{count(first.attempts, 'attempt')} on {_days(first)} "
        f"(at least {FEWEST_ATTEMPTS} on {FEWEST_DAYS})",
    )
    yield _earns(findings.readings)
    yield _halves(findings)
    if findings.ablations:
        yield _adds(findings)
    yield from _placebos(findings, first)
    deflated = findings.ratio.deflated
    yield Hurdle(
        None if deflated is None else deflated >= 1 - LEVEL,
        "deflated Sharpe ratio "
        + ("not known" if deflated is None else f"{deflated:.3f}")
        + f" (at least {1 - LEVEL:g}), the chance that it is above what luck gives the best of "
        "so many trials",
    )


def _days(first: Reading) -> str:
    if first.days_alike == 1:
        return count(first.days, "day")
    return f"{count(first.days, 'stretch')} of {first.days_alike} days"


def _charged(what: Subject) -> Hurdle:
    """Return whether the account paid all that it would have, and knew nothing early."""
    if what.left_out:
        return Hurdle(False, f"left out: {listed(list(what.left_out))}")
    if not what.knowable and what.variant != WITHOUT_MAP:
        return Hurdle(False, "maps and flow are used from their own moment, before anyone had")
    return Hurdle(True, "fees, funding, slippage and liquidation are charged")


def _held(what: Subject) -> Hurdle:
    """Return whether the period that was asked for is there."""
    asked = what.bars + what.missing
    return Hurdle(
        what.bars >= FEWEST_BARS * asked,
        f"{what.bars:,} of {asked:,} bars of the period are held"
        + (f" (at least {FEWEST_BARS:.0%})" if what.missing else ""),
    )


def _earns(readings: Sequence[Reading]) -> Hurdle:
    """Return whether the mean attempt is above 0 in every reading."""
    passed = _all(None if one.low is None else one.sign > 0 for one in readings)
    figures = [
        f"{percent(one.mean)} an attempt, 95 % interval {span(one.low, one.high)}"
        for one in readings
    ]
    return Hurdle(passed, _by_reading(figures, [one.bound for one in readings]))


def _halves(findings: Findings) -> Hurdle:
    halves = findings.sturdy.halves
    if halves is None:
        return Hurdle(None, "both halves of the period: it has one day")
    return Hurdle(
        (halves.first or 0) > 0 and (halves.second or 0) > 0,
        f"both halves of the period: {earned(halves.first)} before {halves.middle}, "
        f"{earned(halves.second)} from then on",
    )


def _adds(findings: Findings) -> Hurdle:
    """Return whether the rule is better than without the map, in every reading."""
    pairs = [one.attempts for one in findings.ablations]
    passed = _all(None if pair.p is None else pair.p <= LEVEL for pair in pairs)
    figures = [
        f"{percent(pair.mean_with)} an attempt against {percent(pair.mean_without)}, "
        f"{p_value(pair.p)}"
        for pair in pairs
    ]
    said = _by_reading(figures, [one.bound for one in findings.ablations])
    return Hurdle(passed, f"{_better(passed)} without the map: {said}")


def _placebos(findings: Findings, first: Reading) -> Iterator[Hurdle]:
    """Yield whether the rule is better than each placebo."""
    held = {one.name for one in findings.placebos}
    if TIMES not in held:
        yield Hurdle(None, f"placebo {TIMES}: not drawn")
    elif MIRRORED in held and SHUFFLED not in held:
        yield Hurdle(
            None, f"placebo {SHUFFLED}: there is one map or day, and none to swap it with"
        )
    for one in findings.placebos:
        # One that makes no attempt says nothing, which is neither stood nor failed.
        if one.name == YESTERDAY or not one.draws:
            continue
        passed = None if one.p is None else one.p <= LEVEL
        yield Hurdle(
            passed,
            f"{_better(passed)} placebo {one.name}: {percent(first.mean)} an attempt against "
            f"{percent(one.mean)}, {p_value(one.p)}{_too_few(one, first)}",
        )


def _too_few(one: Against, first: Reading) -> str:
    """Return why nothing can be told of a placebo; empty: it can, or the rule is to blame."""
    if one.p is not None:
        return ""
    if one.quantiles is None:
        alike = "days" if first.days_alike == 1 else "stretches of days"
        return f", for it attempts something on fewer than {FEWEST_DAYS} {alike}"
    few = one.draws < FEWEST_DRAWS
    return f", for it has {count(one.draws, 'draw')} (at least {FEWEST_DRAWS})" if few else ""


def _all(passed: Iterator[bool | None]) -> bool | None:
    """Return whether all are true; null: none is false, and some are not known.

    >>> _all(iter([True, None])), _all(iter([None, False])), _all(iter([True, True]))
    (None, False, True)
    """
    told = list(passed)
    return False if False in told else (None if None in told else True)


def _better(passed: bool | None) -> str:
    if passed is None:
        return "whether it is better than"
    return "better than" if passed else "not shown to be better than"


def _by_reading(figures: Sequence[str], bounds: Sequence[str]) -> str:
    """Return the figures of each reading, once where all are the same."""
    if len(set(figures)) == 1:
        return figures[0] + (" in every reading" if len(figures) > 1 else "")
    return ", and ".join(
        f"read {adverb(bound)} {figure}" for bound, figure in zip(bounds, figures, strict=True)
    )
