"""This module says what each source should give, and when: the measure of gaps and of age."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# What the rows of a simulated venue say of where they come from, whatever they imitate.
MADE_UP = "simulated"
NIGHTLY = "nightly"


@dataclass(frozen=True, slots=True)
class Cadence:
    """What one source gives of some tables.

    Attributes
    ----------
    source
        What its rows say of where they came from.
    tables
        Tables it has rows of.
    every
        Length of a batch: an hour or a day.
    after
        From the start of a batch to when it can be had; null: ``months`` says it.
    months
        From the month a batch is of to the one at whose start it can be had; null: ``after``
        says it.
    first, last
        Start of the first and of the last batch there is; null: not documented, or it grows.
    once
        Whether what was not asked for in time can never be had.
    bounded
        Whether nothing is missing after the last batch that the lake holds.
    job
        Which job lands it.
    landed_after
        From when a batch can be had to when the job should have landed it.
    where, read
        Document that says so, and when it was read; null: it is this project's own choice.
    """

    source: str
    tables: tuple[str, ...]
    every: timedelta
    after: timedelta | None = None
    months: int | None = None
    first: datetime | None = None
    last: datetime | None = None
    once: bool = False
    bounded: bool = False
    job: str = NIGHTLY
    landed_after: timedelta = DAY + 2 * HOUR
    where: str | None = None
    read: date | None = None

    @property
    def asked(self) -> str:
        """Return the source to ask: one that has several files adds theirs after a hyphen.

        >>> Cadence("market_files-universe", ("asset_contexts",), DAY).asked
        'market_files'
        """
        return self.source.partition("-")[0]

    @property
    def made_up(self) -> bool:
        """Return whether its rows are those of a simulated venue."""
        return self.asked == MADE_UP

    def published(self, start: datetime) -> datetime:
        """Return when the batch that begins at ``start`` can be had.

        >>> monthly = Cadence("a", ("t",), DAY, months=2)
        >>> monthly.published(datetime(2026, 11, 30, tzinfo=UTC)).isoformat()
        '2027-01-01T00:00:00+00:00'
        """
        if self.after is not None:
            return start + self.after
        month = start.year * 12 + start.month - 1 + (self.months or 0)
        return datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)

    def starts(self, since: datetime, until: datetime) -> Iterator[datetime]:
        """Yield the starts of the batches there are and that end in or before ``until``.

        ``since`` is where the first one may begin, a full hour or a midnight.
        """
        start = since if self.first is None else max(since, self.first)
        while start + self.every <= until and (self.last is None or start <= self.last):
            yield start
            start += self.every


@cache
def cadences() -> tuple[Cadence, ...]:
    """Return what is known of every source, from ``cadences.toml``."""
    return tuple(_cadence(entry) for entry in _read()["cadence"])


@cache
def patience() -> dict[str, timedelta]:
    """Return each job and how long it may be from one good end of it to the next."""
    return {job: timedelta(hours=hours) for job, hours in _read()["jobs"].items()}


def by_table_and_source() -> dict[tuple[str, str], Cadence]:
    """Return each table and source with what is to be expected of them."""
    return {(table, one.source): one for one in cadences() for table in one.tables}


def midnight(day: date) -> datetime:
    """Return the first instant of a UTC day."""
    return datetime.combine(day, time(), UTC)


def _read() -> dict[str, Any]:
    text = files("warehouse.health").joinpath("cadences.toml").read_text()
    return tomllib.loads(text)


def _cadence(entry: dict[str, Any]) -> Cadence:
    minutes = entry.pop("minutes", None)
    return Cadence(
        landed_after=patience()[entry.get("job", NIGHTLY)],
        tables=tuple(entry.pop("tables")),
        every={"hour": HOUR, "day": DAY}[entry.pop("every")],
        after=None if minutes is None else timedelta(minutes=minutes),
        **entry,
    )
