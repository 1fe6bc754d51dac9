"""This module tells how old the newest rows of each source are, and whether that is too old.

Age is counted from the newest event of a table and source, not from when something was landed:
a backfill of last year makes nothing fresh.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from warehouse.health.batches import Key, Rows, batches_there, lines_of
from warehouse.health.cadences import (
    DAY,
    HOUR,
    Cadence,
    by_table_and_source,
    midnight,
    patience,
)
from warehouse.health.runs import Run, runs_of
from warehouse.store.lake import Lake, NoLake
from warehouse.store.ledger import parts_of
from warehouse.terminal import plain

JOB = "job"  # stands where a table stands, of ages that are those of jobs


class Age(NamedTuple):
    """How old the newest of one table and source is.

    Attributes
    ----------
    table_name, source
        Whose; of ``job``: the job, and what it does.
    newest_ts
        Newest event that counts; null: none is of the past.
    age
        From then to now; null with ``newest_ts``.
    allowed
        How old it may be; null: the source has ended, and all of it was there.
    stale
        Whether it is older.
    complete_day
        Newest UTC day of which every batch is there; null: there is none.
    """

    table_name: str
    source: str
    newest_ts: datetime | None
    age: timedelta | None
    allowed: timedelta | None
    stale: bool
    complete_day: date | None

    @property
    def what(self) -> str:
        """Return whose age it is, in words."""
        if self.table_name == JOB:
            return f"job {self.source}"
        return f"{self.table_name} of {self.source}"

    @property
    def overdue_days(self) -> int | None:
        """Return for how many whole days it has been stale; null: it is not."""
        if not self.stale or self.age is None or self.allowed is None:
            return 0 if self.stale else None
        return (self.age - self.allowed) // DAY


def ages_of(
    parts: Rows,
    cadences: Mapping[Key, Cadence],
    now: datetime,
    max_age: timedelta | None = None,
) -> list[Age]:
    """Return the age of each table and source that has a cadence, in their order.  Pure.

    Parameters
    ----------
    parts
        What :func:`warehouse.health.batches.lines_of` returns.
    cadences
        Table and source -> what is to be expected.
    now
        The present.
    max_age
        How old the newest event may be; without it, see :func:`allowed_age`.
    """
    newest: dict[Key, datetime | None] = {}
    for part in _current(parts):
        key = part["table_name"], part["source"]
        if key in cadences:
            # An event of the future is an error, and would look fresh until it has come.
            past = [at for at in (newest.get(key), part["min_ts"], part["max_ts"]) if at]
            newest[key] = max((at for at in past if at <= now), default=None)
    there = batches_there(parts, cadences)
    ages = []
    for key, at in sorted(newest.items()):
        cadence, age = cadences[key], None if at is None else now - at
        allowed = allowed_age(cadence, now)
        if allowed is not None and max_age is not None:
            allowed = max_age
        stale = allowed is not None and (age is None or age > allowed)
        ages.append(Age(*key, at, age, allowed, stale, _complete_day(there[key], cadence)))
    return ages


def allowed_age(cadence: Cadence, now: datetime) -> timedelta | None:
    """Return how old the newest event may be at ``now``; None: the source has ended.

    It may be as old as the start of the newest batch that should have been landed by now.

    >>> from datetime import UTC
    >>> hourly = Cadence("a", ("fills",), timedelta(hours=1), after=timedelta(minutes=122))
    >>> str(allowed_age(hourly, datetime(2026, 1, 5, 12, 30, tzinfo=UTC)))
    '1 day, 4:30:00'
    """
    if cadence.last is not None:
        return None
    by = now - cadence.landed_after
    start = midnight(by.date()) + (by - midnight(by.date())) // cadence.every * cadence.every
    while cadence.published(start) > by:
        start -= cadence.every
    return now - start


def ages_in(lake: Lake, now: datetime, max_age: timedelta | None = None) -> list[Age]:
    """Return the ages of what a lake holds; see :func:`ages_of`.

    Raises
    ------
    NoLake
        If there is no lake.
    """
    if not lake.exists():
        raise NoLake(f"no lake at {lake}: `undertow ingest` or `undertow demo` makes one")
    return ages_at(lines_of(parts_of(lake)), runs_of(lake), now, max_age)


def ages_at(
    lines: Rows, runs: Iterable[Run], now: datetime, max_age: timedelta | None = None
) -> list[Age]:
    """Return the ages of what a lake holds, then of its jobs.  Pure."""
    return ages_of(lines, by_table_and_source(), now, max_age) + ages_of_jobs(runs, now)


def ages_of_jobs(runs: Iterable[Run], now: datetime) -> list[Age]:
    """Return how long ago each thing that a job does ended well.  Pure.

    What was never well has the age of its first try.
    """
    allowed = patience()
    return [
        Age(
            JOB,
            f"{run.job}: {run.unit}",
            run.ended_ts,
            now - run.known_ts,
            allowed[run.job],
            now - run.known_ts > allowed[run.job],
            None,
        )
        for run in runs
        if run.job in allowed
    ]


def state_of(age: Age) -> str:
    """Return ``fresh``, ``stale`` or ``ended`` (the source: it has nothing newer)."""
    if age.allowed is None:
        return "ended"
    return "stale" if age.stale else "fresh"


def alarm_of(ages: Sequence[Age], lake: Lake, now: datetime) -> dict[str, Any] | None:
    """Return what a webhook is told of stale rows, as JSON can hold it; None: all is well.

    A lake of which nothing could be fresh is stale.
    """
    stale = [age for age in ages if age.stale]
    said = [sentence_of(age) for age in stale]
    if not ages:
        said = ["the lake holds nothing that could be fresh"]
    if not said:
        return None
    return {
        "text": "undertow: stale: " + "; ".join(said),
        "what": "stale",
        "lake": lake.root,
        "at": plain(now),
        "stale": [
            {
                "table": age.table_name,
                "source": age.source,
                "newest_ts": plain(age.newest_ts),
                "age_hours": hours(age.age),
                "allowed_hours": hours(age.allowed),
                "complete_day": plain(age.complete_day),
            }
            for age in stale
        ],
    }


def sentence_of(age: Age) -> str:
    """Return how old the newest row is, and how old it may be."""
    if age.table_name == JOB:
        last = "never well, tried for" if age.newest_ts is None else "last ended well before"
        old = f"{last} {hours(age.age)} h"
    else:
        old = "no row is of the past" if age.age is None else f"{hours(age.age)} h old"
    return f"{age.what}: {old}, allowed are {hours(age.allowed)} h"


def hours(age: timedelta | None) -> float | None:
    """Return an age in hours, to a tenth."""
    return None if age is None else round(age / HOUR, 1)


def _current(parts: Rows) -> list[Mapping[str, Any]]:
    """Return the newest revision of each part: what a correction took back no longer counts."""
    newest: dict[tuple[str, date, str], Mapping[str, Any]] = {}
    for part in parts:
        key = part["table_name"], part["day"], part["part"]
        if key not in newest or newest[key]["revision"] < part["revision"]:
            newest[key] = part
    return list(newest.values())


def _complete_day(there: set[datetime], cadence: Cadence) -> date | None:
    """Return the newest day of which there is every batch that the source has."""
    for day in sorted({start.date() for start in there}, reverse=True):
        wanted = list(cadence.starts(midnight(day), midnight(day) + DAY))
        if wanted and there.issuperset(wanted):
            return day
    return None
