"""This module says which files a landing would read, and which of them the lake holds already.

Of a bucket, files are left out that have been landed and have not changed since: those which a
part that counts names among its origins, of the same size, and put there before the part was
received.  Of a folder nothing is left out: reading it again costs nothing and is exact.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pyarrow.compute as pc

from pipelines.sources.archive import Archive, Listed
from pipelines.steps.cost import Plan
from warehouse.store import Lake, parts_of
from warehouse.store.ledger import Origin, as_parts

DAY = timedelta(days=1)
# Some landings hold back a range until it is whole; one that has cost money is cut, so that
# not much is paid twice if it is stopped.  Hourly fills read two hours beside each cut.
DAYS_AT_ONCE = 7

Files = Mapping[str, Listed]
Span = tuple[date | None, date | None]  # [since, until)


class Pull(NamedTuple):
    """What a landing would read.

    Attributes
    ----------
    table
        Table whose parts name the files.
    archive
        Where they are.
    days
        Day -> the files that its landing reads.
    beside
        A day's landing reads files of the days beside it too, and only a part of the day
        itself tells that it has.
    daily
        Days can be landed apart; else all are landed at once, under one day here.
    """

    table: str
    archive: Archive
    days: dict[date, Files]
    beside: bool = False
    daily: bool = True

    def plan(self, left: Collection[date], of: Collection[date] | None = None) -> Plan:
        """Return what reading the days in ``left`` comes to; ``of``: the only ones wanted."""
        days = self.days if of is None else {day: self.days.get(day, {}) for day in of}
        every = {path: file for files in days.values() for path, file in files.items()}
        read = {path: file for day in left for path, file in self.days.get(day, {}).items()}
        size = sum(file.size for file in read.values())
        return Plan(len(read), size, len(every) - len(read), self.archive.paid)

    def left(self, lake: Lake | Path | str) -> list[date]:
        """Return the days with a file that the lake does not hold as it is."""
        if not (self.archive.paid and self.daily):
            return list(self.days)
        received = _received(Lake.at(lake), self.table)
        return [day for day in self.days if not self._held(day, received)]

    def _held(
        self, day: date, received: Mapping[str, list[tuple[date, Origin, datetime]]]
    ) -> bool:
        return all(
            any(
                origin.size == file.size
                and (file.put_ts is None or file.put_ts <= moment)
                and not (self.beside and of != day)
                for of, origin, moment in received.get(
                    Origin.of(self.archive.url(path)).url, ()
                )
            )
            for path, file in self.days[day].items()
        )


def _received(lake: Lake, table: str) -> dict[str, list[tuple[date, Origin, datetime]]]:
    """Return where parts that count name each file: their day, the file, when they came."""
    lines = parts_of(lake)
    counts = pc.and_(pc.equal(lines["table_name"], table), pc.is_null(lines["superseded_ts"]))
    found: dict[str, list[tuple[date, Origin, datetime]]] = defaultdict(list)
    for line in as_parts(lines.filter(counts)):
        for origin in line.origins:
            found[origin.url].append((line.day, origin, line.received_ts))
    return found


def spans(
    pull: Pull, left: Collection[date], since: date | None, until: date | None
) -> list[Span]:
    """Return the ranges of days to land one after the other: ``[since, until)`` each.

    Days without a file belong to them: that they are missing is said by the landing.

    >>> days = {date(2026, 1, n): {} for n in range(1, 5)}
    >>> class Bucket:
    ...     paid = True
    >>> left = [date(2026, 1, 1), date(2026, 1, 4)]
    >>> made = spans(Pull("fills", Bucket(), days), left, None, date(2026, 1, 6))
    >>> [(str(low), str(high)) for low, high in made]
    [('2026-01-01', '2026-01-02'), ('2026-01-04', '2026-01-06')]
    """
    if not (pull.archive.paid and pull.daily and pull.days):
        return [(since, until)]
    first, end = since or min(pull.days), until or max(pull.days) + DAY
    every = [first + timedelta(days=n) for n in range((end - first).days)]
    wanted = [day for day in every if day in left or day not in pull.days]
    made: list[list[date]] = []
    for day in wanted:
        if made and made[-1][-1] + DAY == day and len(made[-1]) < DAYS_AT_ONCE:
            made[-1].append(day)
        else:
            made.append([day])
    return [(days[0], days[-1] + DAY) for days in made]


def listed(archive: Archive, paths: Iterable[str]) -> dict[str, dict[str, Listed]]:
    """Return the files at each of ``paths``, or below it where it is a folder."""
    paths = list(paths)
    below: dict[str, dict[str, Listed]] = defaultdict(dict)
    for prefix in sorted({path.rsplit("/", 2)[0] for path in paths}):
        for path, file in archive.listed(prefix).items():
            below[path][path] = below[path.rpartition("/")[0]][path] = file
    return {path: below[path] for path in paths}
