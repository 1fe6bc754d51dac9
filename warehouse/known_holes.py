"""This module knows what sources never had: facts with their document, not failures.

Windows without data are in ``known_holes.toml``; where a source begins and ends is in
``health/cadences.toml``.
"""

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from warehouse.health.cadences import Cadence, cadences, midnight

CHECK = "known_hole"


@dataclass(frozen=True, slots=True)
class Hole:
    """One window ``[since, until)`` of which a source has nothing, by what was read where."""

    source: str
    tables: tuple[str, ...]
    since: datetime
    until: datetime
    what: str
    where: str
    read: date

    @property
    def says(self) -> str:
        """Return the fact and its document."""
        return f"{self.what} ({self.where}, read {self.read})"

    def holds(self, start: datetime, end: datetime) -> bool:
        """Return whether all of ``[start, end)`` is in the hole."""
        return self.since <= start and end <= self.until


@cache
def known_holes() -> tuple[Hole, ...]:
    """Return every hole that is known, from ``known_holes.toml``."""
    text = files("warehouse").joinpath("known_holes.toml").read_text()
    entries = tomllib.loads(text)["hole"]
    return tuple(Hole(**entry | {"tables": tuple(entry["tables"])}) for entry in entries)


def hole_at(
    holes: Iterable[Hole], table: str, source: str, start: datetime, end: datetime
) -> Hole | None:
    """Return the hole that holds all of ``[start, end)``; None: there should be data.

    >>> start, end = midnight(date(2025, 11, 1)), midnight(date(2025, 11, 2))
    >>> hole_at(known_holes(), "positions", "reservoir", start, end).what
    'the source captured no state'
    """
    for hole in holes:
        if hole.source == source and table in hole.tables and hole.holds(start, end):
            return hole
    return None


def holes_as_incidents(sources: Iterable[str]) -> list[dict[str, Any]]:
    """Return what is known of ``sources`` as rows of the contract ``incidents``.

    A hole is a window.  Where a source begins or ends is one instant: the first it has, or the
    first it has no more.  Each is known from the day its document was read.
    """
    wanted = set(sources)
    rows = []
    for hole in known_holes():
        if hole.source in wanted:
            rows += [_window(hole, table) for table in hole.tables]
    for cadence in cadences():
        if cadence.source in wanted:
            rows += _bounds(cadence)
    return sorted(rows, key=lambda row: (row["start_ts"], row["table_name"], row["source"]))


def _window(hole: Hole, table: str) -> dict[str, Any]:
    (every,) = {
        one.every for one in cadences() if one.source == hole.source and table in one.tables
    }
    batches = (hole.until - hole.since) // every
    return _row(table, hole.source, hole.since, hole.until, hole.says, hole.read, batches)


def _bounds(cadence: Cadence) -> Iterator[dict[str, Any]]:
    if cadence.where is None or cadence.read is None:
        return
    said = f"({cadence.where}, read {cadence.read})"
    bounds = []
    if cadence.first is not None:
        bounds.append((cadence.first, f"the source begins here: it has nothing before {said}"))
    if cadence.last is not None:
        end = cadence.last + cadence.every
        bounds.append((end, f"the source has ended: it has nothing from here on {said}"))
    for table in cadence.tables:
        for at, what in bounds:
            yield _row(table, cadence.source, at, None, what, cadence.read, 1)


def _row(
    table: str,
    source: str,
    start: datetime,
    end: datetime | None,
    what: str,
    read: date,
    count: int,
) -> dict[str, Any]:
    return {
        "start_ts": start,
        "end_ts": end,
        "check_name": CHECK,
        "table_name": table,
        "source": source,
        "subject": "all",
        "severity": "fact",
        "what": what,
        "rows": count,
        "known_ts": midnight(read),
    }
