"""This module says in plain words what a study shows, which most often is: nothing."""

from collections.abc import Iterator

from backtest.findings.find import Findings, Subject
from backtest.hurdles import LEVEL, Hurdle, hurdles
from backtest.market import HOME
from backtest.placebos.coin_placebos import MIRRORED, YESTERDAY
from backtest.worded import count, earned, length, p_value, percent
from warehouse.report.words import MINUS, listed

# What the sentence that lists them begins with, and what became of them.
OUTCOMES = {"Passed": True, "Failed": False, "Cannot be told": None}


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
    An edge is named only if every test stands; see :func:`backtest.hurdles.hurdles`.
    """
    found = list(hurdles(findings))
    said = [*_tested(findings), _conclusion(findings, found)]
    if not findings.readings[0].attempts:
        return said
    said += [*_length(findings), *_rests(findings)]
    for word, outcome in OUTCOMES.items():
        if some := [one.said for one in found if one.passed is outcome]:
            said.append(f"{word}: {'; '.join(some)}.")
    said += [*_silent(findings), *_age(findings)]
    if MIRRORED in {one.name for one in findings.placebos} and not findings.ablations:
        said.append(
            "The rule names no rule without the map (without_map) to be held against: what the "
            "map adds is told by the placebos alone."
        )
    return said


def _tested(findings: Findings) -> Iterator[str]:
    what, first = findings.subject, findings.readings[0]
    rows = "simulated rows" if what.source == "simulated" else "recorded rows"
    yield (
        f"Tested: {what.rule} ({what.variant}) on {', '.join(what.coins)}"
        f"{' in one account' if what.shared else ''}, {what.interval} "
        f"bars from {what.since[:16]} to {what.until[:16]}, {rows}{_prices(what)}: "
        f"{count(first.attempts, 'attempt')}, {count(first.trades, 'trade')}."
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
        f"{ratio.expected:.3f}; this one's is {ratio.daily:.3f}.".replace("-", MINUS)
    )


def _prices(what: Subject) -> str:
    """Return whose prices they are, and what was left out of the costs."""
    others = [venue for venue in what.venues if venue != HOME]
    said = f", prices of {listed(others)}" if others else ""
    return said + (f", without {listed(list(what.left_out))}" if what.left_out else "")


def _conclusion(findings: Findings, found: list[Hurdle]) -> str:
    if not findings.readings[0].attempts:
        return f"Nothing can be said: it made no attempt{_why_none(findings)}."
    if all(one.passed for one in found):
        return "An edge is shown: it passed every test."
    if all(one.sign < 0 for one in findings.readings):
        return "No edge is shown: it loses, in every reading of ambiguous bars."
    failed, unknown = (sum(one.passed is kind for one in found) for kind in (False, None))
    said = f"No edge is shown: of {count(len(found), 'test')} it failed {failed}"
    return said + (f", and {unknown} cannot be told." if unknown else ".")


def _why_none(findings: Findings) -> str:
    """Return what became of the signals of a rule that made no attempt."""
    what = findings.subject
    if not what.signals:
        return ", for it gave no signal"
    if what.unmapped == what.signals:
        when = "was known in time" if what.knowable else "is known"
        return f", for at none of its {count(what.signals, 'signal')} a map or flow {when}"
    signals = count(what.signals, "signal")
    return f" of its {signals}; at {what.unmapped} of them no map or flow was known"


def _length(findings: Findings) -> Iterator[str]:
    """Yield how long a period it takes for so many trials."""
    ratio = findings.ratio
    if ratio.needed_years is None or ratio.trials == 1:
        return
    enough = "enough" if ratio.years >= ratio.needed_years else "too short"
    yield (
        f"Its {length(ratio.years)} are {enough} for so many trials: the best of as many "
        f"without an edge is expected to show as much over {length(ratio.needed_years)} "
        "(minimum backtest length)."
    )


def _rests(findings: Findings) -> Iterator[str]:
    """Yield which attempts or days made a profit, if nothing is left of it without them."""
    whole, left = findings.readings[0].mean, findings.sturdy
    if whole is None or whole <= 0:
        return
    best = {
        without.dropped: (without.mean, count(without.dropped, "best attempt"))
        for without in (left.without_1_pct, left.without_5_pct)
    }
    days = left.without_10_days
    for mean, words in (*best.values(), (days.mean, "ten best days")):
        if mean is None or mean <= 0:
            what, them = words.removeprefix("1 "), "it" if words[:2] == "1 " else "them"
            yield f"It rests on its {what}: without {them} {earned(mean)}."


def _silent(findings: Findings) -> Iterator[str]:
    """Yield which placebos say nothing."""
    for one in findings.placebos:
        if not one.draws and one.name != YESTERDAY:
            yield f"Placebo {one.name} makes no attempt that the rule could be held against."


def _age(findings: Findings) -> Iterator[str]:
    """Yield what yesterday's map does in place of today's."""
    for one in findings.placebos:
        if one.name == YESTERDAY and one.draws:
            needs = one.p is not None and one.p <= LEVEL
            matters = "it matters" if needs else "nothing shows that it matters"
            yield (
                f"With what was known a day before: {percent(one.mean)} an attempt, "
                f"{p_value(one.p)}: {matters} how new the map or the flow is."
            )
