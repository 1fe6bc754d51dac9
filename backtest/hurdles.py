"""This module holds what a study must stand for an edge to be named, test by test."""

from collections.abc import Iterator
from dataclasses import dataclass

from backtest.findings.find import Findings
from backtest.placebos.coin_placebos import MIRRORED, SHUFFLED, TIMES, YESTERDAY
from backtest.worded import adverb, count, earned, p_value, percent, span

LEVEL = 0.05
FEWEST_ATTEMPTS, FEWEST_DAYS = 30, 20


@dataclass(frozen=True, slots=True)
class Hurdle:
    """One thing that an edge must stand.

    Attributes
    ----------
    passed
        False also where it cannot be told.
    said
        What was found, in words.
    """

    passed: bool
    said: str


def shows_edge(findings: Findings) -> bool:
    """Return whether a study stands every test."""
    return all(one.passed for one in hurdles(findings))


def hurdles(findings: Findings) -> Iterator[Hurdle]:
    """Yield each test that an edge must stand, with its figure.

    At least 30 attempts on 20 days, every reading's interval above 0, both halves of the period
    above 0, better than the same rule without the map and than each placebo at 5 %, and a
    deflated Sharpe ratio of 0.95 or more.

    Yesterday's map is no such placebo: it is old, not meaningless, and of a map that changes
    slowly it knows what today's does.  It says whether an edge rests on how new the map is.
    """
    first = findings.readings[0]
    yield Hurdle(
        first.attempts >= FEWEST_ATTEMPTS and first.days >= FEWEST_DAYS,
        f"{count(first.attempts, 'attempt')} on {count(first.days, 'day')} "
        f"(at least {FEWEST_ATTEMPTS} on {FEWEST_DAYS})",
    )
    for one in findings.readings:
        yield Hurdle(
            one.sign > 0,
            f"{percent(one.mean)} an attempt read {adverb(one.bound)}, 95 % interval "
            f"{span(one.low, one.high)}",
        )
    halves = findings.sturdy.halves
    if halves is None:
        yield Hurdle(False, "both halves of the period: it has one day")
    else:
        yield Hurdle(
            (halves.first or 0) > 0 and (halves.second or 0) > 0,
            f"both halves of the period: {earned(halves.first)} before {halves.middle}, "
            f"{earned(halves.second)} from then on",
        )
    for one in findings.ablations:
        pair = one.attempts
        yield Hurdle(
            pair.p is not None and pair.p <= LEVEL,
            f"{percent(pair.mean_without)} an attempt without the map, read "
            f"{adverb(one.bound)}, {p_value(pair.p)}",
        )
    held = {one.name for one in findings.placebos}
    if TIMES not in held:
        yield Hurdle(False, f"placebo {TIMES}: not drawn")
    elif MIRRORED in held and SHUFFLED not in held:
        yield Hurdle(
            False, f"placebo {SHUFFLED}: there is one map or day, and none to swap it with"
        )
    for one in findings.placebos:
        # One that makes no attempt says nothing, which is neither stood nor failed.
        if one.name == YESTERDAY or not one.draws:
            continue
        yield Hurdle(
            one.p is not None and one.p <= LEVEL,
            f"placebo {one.name}: {percent(one.mean)} an attempt, {p_value(one.p)}",
        )
    deflated = findings.ratio.deflated
    yield Hurdle(
        deflated is not None and deflated >= 1 - LEVEL,
        "deflated Sharpe ratio "
        + ("not known" if deflated is None else f"{deflated:.3f}")
        + f" (at least {1 - LEVEL:g}), the chance that it is above what luck gives the best of "
        "so many trials",
    )
