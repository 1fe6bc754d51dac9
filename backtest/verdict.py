"""This module says in plain words what a study shows, which most often is: nothing."""

from collections.abc import Iterator
from dataclasses import dataclass

from backtest.findings.find import Findings
from backtest.placebos.coin_placebos import MIRRORED, SHUFFLED, TIMES, YESTERDAY

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


def verdict(findings: Findings) -> list[str]:
    """Return what a study shows, one sentence each.

    Parameters
    ----------
    findings
        Of the study.

    Returns
    -------
    list
        What was tested; of how many trials it is one; whether an edge is shown; whether the
        period is long enough for so many; what it rests on; what it stood, and what it did not.

    Notes
    -----
    An edge is named only if every test stands: at least 30 attempts on 20 days, every reading's
    interval above 0, both halves of the period above 0, better than the same rule without the
    map and than each placebo at 5 %, and a deflated Sharpe ratio of 0.95 or more.

    Yesterday's map is no such placebo: it is old, not meaningless, and of a map that changes
    slowly it knows what today's does.  It says whether an edge rests on how new the map is.
    """
    found = list(hurdles(findings))
    said = [*_tested(findings), _conclusion(findings, found)]
    if not findings.readings[0].attempts:
        return said
    said += [*_length(findings), *_rests(findings)]
    stood = [one.said for one in found if one.passed]
    fell = [one.said for one in found if not one.passed]
    if stood:
        said.append(f"Passed: {'; '.join(stood)}.")
    if fell:
        said.append(f"Failed: {'; '.join(fell)}.")
    said += _age(findings)
    if MIRRORED in {one.name for one in findings.placebos} and not findings.ablations:
        said.append(
            "The rule names no rule without the map (without_map) to be held against: what the "
            "map adds is told by the placebos alone."
        )
    return said


def shows_edge(findings: Findings) -> bool:
    """Return whether a study stands every test."""
    return all(one.passed for one in hurdles(findings))


def hurdles(findings: Findings) -> Iterator[Hurdle]:
    """Yield each test that an edge must stand, with its figure."""
    first = findings.readings[0]
    yield Hurdle(
        first.attempts >= FEWEST_ATTEMPTS and first.days >= FEWEST_DAYS,
        f"{_count(first.attempts, 'attempt')} on {_count(first.days, 'day')} "
        f"(at least {FEWEST_ATTEMPTS} on {FEWEST_DAYS})",
    )
    for one in findings.readings:
        yield Hurdle(
            one.sign > 0,
            f"{_percent(one.mean)} an attempt read {_adverb(one.bound)}, 95 % interval "
            f"{_span(one.low, one.high)}",
        )
    halves = findings.sturdy.halves
    if halves is None:
        yield Hurdle(False, "both halves of the period: it has one day")
    else:
        yield Hurdle(
            (halves.first or 0) > 0 and (halves.second or 0) > 0,
            f"both halves of the period: {_earned(halves.first)} before {halves.middle}, "
            f"{_earned(halves.second)} from then on",
        )
    for one in findings.ablations:
        pair = one.attempts
        yield Hurdle(
            pair.p is not None and pair.p <= LEVEL,
            f"{_percent(pair.mean_without)} an attempt without the map, read "
            f"{_adverb(one.bound)}, {_p(pair.p)}",
        )
    held = {one.name for one in findings.placebos}
    if TIMES not in held:
        yield Hurdle(False, f"placebo {TIMES}: not drawn")
    elif MIRRORED in held and SHUFFLED not in held:
        yield Hurdle(
            False, f"placebo {SHUFFLED}: there is one map or day, and none to swap it with"
        )
    for one in findings.placebos:
        if one.name == YESTERDAY:
            continue
        if not one.draws:
            yield Hurdle(True, f"placebo {one.name}: makes no attempt to be held against")
            continue
        yield Hurdle(
            one.p is not None and one.p <= LEVEL,
            f"placebo {one.name}: {_percent(one.mean)} an attempt, {_p(one.p)}",
        )
    deflated = findings.ratio.deflated
    yield Hurdle(
        deflated is not None and deflated >= 1 - LEVEL,
        "deflated Sharpe ratio "
        + ("not known" if deflated is None else f"{deflated:.3f}")
        + f" (at least {1 - LEVEL:g}), the chance that it is above what luck gives the best of "
        "so many trials",
    )


def _tested(findings: Findings) -> Iterator[str]:
    what, first = findings.subject, findings.readings[0]
    rows = "simulated rows" if what.source == "simulated" else "recorded rows"
    yield (
        f"Tested: {what.rule} ({what.variant}) on {', '.join(what.coins)}"
        f"{' in one account' if what.shared else ''}, {what.interval} "
        f"bars from {what.since[:16]} to {what.until[:16]}, {rows}: "
        f"{_count(first.attempts, 'attempt')}, {_count(first.trades, 'trade')}."
    )
    ratio = findings.ratio
    if ratio.trials == 1:
        yield "It is the only trial known of this rule or these coins in this time."
        return
    chosen = f"It is one of {ratio.trials} trials of this rule or these coins in this time"
    if ratio.expected is None or ratio.daily is None:
        yield f"{chosen}."
        return
    yield (
        f"{chosen}: the luckiest of so many without any edge reaches a daily Sharpe ratio of "
        f"{ratio.expected:.3f}; this one's is {ratio.daily:.3f}."
    )


def _conclusion(findings: Findings, found: list[Hurdle]) -> str:
    if not findings.readings[0].attempts:
        return "Nothing can be said: it made no attempt."
    if all(one.passed for one in found):
        return "An edge is shown: it passed every test."
    if all(one.sign < 0 for one in findings.readings):
        return "No edge is shown: it loses, in every reading of ambiguous bars."
    failed = sum(not one.passed for one in found)
    return f"No edge is shown: it failed {failed} of {_count(len(found), 'test')}."


def _length(findings: Findings) -> Iterator[str]:
    """Yield how long a period it takes for so many trials."""
    ratio = findings.ratio
    if ratio.needed_years is None or ratio.trials == 1:
        return
    enough = "enough" if ratio.years >= ratio.needed_years else "too short"
    yield (
        f"Its {ratio.years:.2f} years are {enough} for so many trials: the best of as many "
        f"without an edge is expected to show as much over {ratio.needed_years:.2f} years "
        "(minimum backtest length)."
    )


def _rests(findings: Findings) -> Iterator[str]:
    """Yield which attempts or days made a profit, if nothing is left of it without them."""
    whole, left = findings.readings[0].mean, findings.sturdy
    if whole is None or whole <= 0:
        return
    for without, words in (
        (left.without_1_pct, "its best 1 % of attempts"),
        (left.without_5_pct, "its best 5 % of attempts"),
        (left.without_10_days, "its ten best days"),
    ):
        if without.mean is None or without.mean <= 0:
            yield f"It rests on {words}: without them {_earned(without.mean)}."


def _age(findings: Findings) -> Iterator[str]:
    """Yield what yesterday's map does in place of today's."""
    for one in findings.placebos:
        if one.name == YESTERDAY and one.draws:
            needs = one.p is not None and one.p <= LEVEL
            matters = "it matters" if needs else "nothing shows that it matters"
            yield (
                f"With what was known a day before: {_percent(one.mean)} an attempt, "
                f"{_p(one.p)}: {matters} how new the map or the flow is."
            )


def _adverb(bound: str) -> str:
    return {
        "pessimistic": "pessimistically",
        "optimistic": "optimistically",
        "drilled": "by finer bars or trades",
    }[bound]


def _span(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return "not known"
    return f"{_percent(low)} to {_percent(high)}"


def _p(p: float | None) -> str:
    if p is None:
        return "p not known"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def _count(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _earned(mean: float | None) -> str:
    return "no attempt" if mean is None else f"{_percent(mean)} an attempt"


def _percent(fraction: float | None) -> str:
    return "no mean" if fraction is None else f"{fraction * 100:+.3f} %"
