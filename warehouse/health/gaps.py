"""This module finds what should be in the lake and is not, and says why.

Expected is what the sources that the lake follows should give by their cadence, from the first
day the lake has of them on; there is what the ledger lists.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from warehouse.health.batches import (
    Key,
    Rows,
    answers,
    asks_by_key,
    batches_there,
    lines_of,
    span_of,
)
from warehouse.health.cadences import DAY, HOUR, Cadence, by_table_and_source, midnight
from warehouse.known_holes import Hole, hole_at, known_holes
from warehouse.store.asks import asks_of
from warehouse.store.lake import Lake, NoLake
from warehouse.store.ledger import parts_of

UNPUBLISHED = "not yet published"
ABSENT = "missing at source"
FAILED = "failed"
BLOCKED = "blocked"
HOLE = "known hole"
NEVER = "never asked"
# Reasons that need nobody: a fact, and what will come.
EXCUSED = frozenset({HOLE, UNPUBLISHED})


class Gap(NamedTuple):
    """What one source lacks of one table and day, for one reason.

    Attributes
    ----------
    table_name, source, day
        What should be there.
    reason
        ``not yet published``, ``missing at source``, ``failed``, ``blocked``, ``known hole``
        or ``never asked``.
    missing
        Batches missing for this reason: hours, or the one day.
    there, expected
        Batches of the day that are in the lake, and that there should be by now.
    hours
        UTC hours that are missing; empty where a batch is a day.
    why
        In words; null where the reason says it all.
    """

    table_name: str
    source: str
    day: date
    reason: str
    missing: int
    there: int
    expected: int
    hours: tuple[int, ...]
    why: str | None


class ToFill(NamedTuple):
    """What to ask a source for again; no hours: the whole day at once."""

    source: str
    day: date
    hours: tuple[int, ...]


def gaps_of(
    parts: Rows,
    asks: Rows,
    cadences: Mapping[Key, Cadence],
    holes: Iterable[Hole],
    now: datetime,
    since: date | None = None,
    until: date | None = None,
) -> list[Gap]:
    """Return what is missing, in order of table, source and day.  Pure.

    Parameters
    ----------
    parts
        What :func:`warehouse.health.batches.lines_of` returns.
    asks
        Rows of the contract ``asks``.
    cadences
        Table and source -> what is to be expected; of others nothing is.
    holes
        What sources are known not to have.
    now
        The present; a batch that ends after it is not expected.
    since, until
        UTC days ``[since, until)``; without them from the first day that the lake has or was
        asked for, to the newest batch that has ended.
    """
    holes = tuple(holes)
    there = batches_there(parts, cadences)
    # Made-up rows and real ones never share a lake.
    asked = asks_by_key(asks, cadences, any(cadences[key].made_up for key in there))
    gaps = []
    for key in sorted(there.keys() | asked.keys()):
        held, cadence = there.get(key, set()), cadences[key]
        met = answers(asked.get(key, []), cadence)
        files = cadence.every == HOUR and not cadence.once
        first, end = _range(held, asked.get(key, []), cadence)
        first = first if since is None else midnight(since)
        end = min(end or now, now) if until is None else min(end or now, now, midnight(until))
        for starts in _by_day(cadence.starts(first, end)):
            missing = [
                start for start in starts if start not in held or (files and _torn(met, start))
            ]
            reasons: dict[tuple[str, str | None], list[datetime]] = {}
            for start in missing:
                said = _reason(key, start, cadence, met.get(start), holes, now)
                reasons.setdefault(said, []).append(start)
            for (reason, why), some in reasons.items():
                if reason == UNPUBLISHED:
                    why = f"can be had from {cadence.published(some[0]):%Y-%m-%d %H:%M} UTC on"
                hours = tuple(one.hour for one in some) if cadence.every == HOUR else ()
                counts = len(some), len(starts) - len(missing), len(starts)
                gaps.append(Gap(*key, starts[0].date(), reason, *counts, hours, why))
    return gaps


def _torn(met: Mapping[datetime, Mapping[str, Any]], start: datetime) -> bool:
    """Return whether an hour's own file failed: what is there came by its neighbours'."""
    ask = met.get(start)
    return ask is not None and ask["outcome"] == FAILED and ask["hour"] == start.hour


def to_fill(gaps: Iterable[Gap], cadences: Mapping[Key, Cadence]) -> list[ToFill]:
    """Return what may be had by asking again, in order of source and day.  Pure.

    Left out are facts, what is not published yet, and what only its own moment could tell.
    Which archive made-up rows imitate is the asker's to know: each that it may be is named.
    """
    wanted: dict[tuple[str, date], set[int]] = {}
    for gap in gaps:
        cadence = cadences[gap.table_name, gap.source]
        if gap.reason in EXCUSED:
            continue
        for asked in _imitated(gap, cadences) if cadence.made_up else [cadence]:
            if not asked.once:
                wanted.setdefault((asked.asked, gap.day), set()).update(gap.hours)
    return [ToFill(*key, tuple(sorted(hours))) for key, hours in sorted(wanted.items())]


def runs_of(gaps: Iterable[Gap]) -> list[tuple[Gap, Gap]]:
    """Return the first and the last gap of each run of days that lack the same, why too.

    For people: what is out from which instant on is told of the run's first day.
    """
    runs: list[tuple[Gap, Gap]] = []
    newest: dict[tuple, int] = {}
    for gap in gaps:
        why = None if gap.reason == UNPUBLISHED else gap.why
        key = gap.table_name, gap.source, gap.reason, gap.missing, gap.expected, gap.hours, why
        place = newest.get(key)
        if place is not None and runs[place][1].day == gap.day - DAY:
            runs[place] = runs[place][0], gap
        else:
            newest[key] = len(runs)
            runs.append((gap, gap))
    return runs


def gaps_in(
    lake: Lake, now: datetime, since: date | None = None, until: date | None = None
) -> list[Gap]:
    """Return what is missing in a lake; see :func:`gaps_of`.

    Raises
    ------
    NoLake
        If there is no lake.
    """
    if not lake.exists():
        raise NoLake(f"no lake at {lake}: `undertow ingest` or `undertow demo` makes one")
    parts, asks = lines_of(parts_of(lake)), asks_of(lake).to_pylist()
    return gaps_of(parts, asks, by_table_and_source(), known_holes(), now, since, until)


def gaps_to_fill(lake: Lake, now: datetime) -> list[ToFill]:
    """Return what a backfill should ask for again: source, day and hours of each."""
    return to_fill(gaps_in(lake, now), by_table_and_source())


def _imitated(gap: Gap, cadences: Mapping[Key, Cadence]) -> Iterator[Cadence]:
    """Yield the real sources of batches like those that a gap lacks."""
    every = cadences[gap.table_name, gap.source].every
    for (table, _), cadence in cadences.items():
        if table == gap.table_name and cadence.every == every and not cadence.made_up:
            yield cadence


def _range(
    held: Iterable[datetime], asked: Rows, cadence: Cadence
) -> tuple[datetime, datetime | None]:
    """Return from where on a source is expected, and until when; null: until now."""
    spans = [(one, one + cadence.every) for one in held] + [span_of(ask) for ask in asked]
    first = min(start for start, _ in spans)
    if cadence.bounded:
        return first, max(end for _, end in spans)
    # Nobody could have asked before the first time for what only its own moment tells.
    return first if cadence.once else midnight(first.date()), None


def _by_day(starts: Iterable[datetime]) -> Iterator[list[datetime]]:
    """Yield the batches of each day."""
    days: dict[date, list[datetime]] = {}
    for start in starts:
        days.setdefault(start.date(), []).append(start)
    yield from days.values()


def _reason(
    key: Key,
    start: datetime,
    cadence: Cadence,
    ask: Mapping[str, Any] | None,
    holes: Iterable[Hole],
    now: datetime,
) -> tuple[str, str | None]:
    """Return why a batch is missing, and the same in words.

    What was given and refused comes before a fact, and a fact before a failure.  That a source
    says it has none means nothing before it should have it.
    """
    if ask is not None and ask["outcome"] == "blocked":
        return BLOCKED, ask["reason"]
    if (hole := hole_at(holes, *key, start, start + cadence.every)) is not None:
        return HOLE, hole.says
    if ask is not None and ask["outcome"] == "failed":
        return FAILED, ask["reason"]
    if now < cadence.published(start):
        return UNPUBLISHED, None
    return (NEVER, None) if ask is None else (ABSENT, ask["reason"])
