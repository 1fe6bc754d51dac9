"""This module sorts fills from files that are cut by arrival into the hours they are of."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.landed import Landed
from pipelines.sources.hourly_files import HOUR, HourlyFills
from pipelines.sources.unknown import Unknown
from pipelines.steps.first_known import Kept, first_known
from pipelines.steps.hour_range import HourRange
from pipelines.steps.landed_before import LandedBefore
from pipelines.steps.unknown_rows import fields_in, news, unknown_rows
from warehouse.contracts.table import ContractError, Table
from warehouse.contracts.tables import FILLS, UNKNOWN_FIELDS
from warehouse.store import Landing, Origin

Hint = Callable[[pa.Table], np.ndarray]


class FillHours:
    """Fills on their way to their hours' parts, with what is unknown of them.

    Parameters
    ----------
    span
        Which hours are landed.
    batches
        Where parts go.
    kind, label
        The archive, and what its rows and parts say of where they came from.
    landed
        Told what was done.
    helpers
        Writes an hour while the next file is read.

    Attributes
    ----------
    failed
        Hours with a row that breaks the contract; nothing of them is landed.
    """

    def __init__(
        self,
        span: HourRange,
        batches: Landing,
        kind: HourlyFills,
        label: str,
        landed: Landed,
        helpers: Executor,
    ) -> None:
        self._span, self._batches, self._kind = span, batches, kind
        self._label, self._landed = label, landed
        self._waiting: dict[datetime, list[pa.Table]] = {}
        self._unknown: dict[datetime, list[pa.Table]] = {}
        self._found: Counter[str] = Counter()
        self._written: dict[datetime, int] = {}
        self.failed: dict[datetime, ContractError] = {}
        self._origins: dict[datetime, list[Origin]] = {}
        self._paths: dict[datetime, str] = {}
        # Files that gave rows of an hour; late ones lie in files far from it.
        self._givers: dict[datetime, set[datetime]] = {}
        self._before = LandedBefore(batches.lake, (FILLS, UNKNOWN_FIELDS), label)
        self._late: dict[datetime, list[pa.Table]] = {}
        self._strays = self._outside = self._joined = self._disagreeing = 0
        self._helpers, self._writing = helpers, Future[None]()
        self._writing.set_result(None)

    def add(
        self,
        file: datetime,
        path: str,
        rows: pa.Table,
        unknown: Unknown,
        origins: list[Origin],
    ) -> None:
        """Take the rows of one file, and land the hours that no later file can add to."""
        self._origins[file], self._paths[file] = origins, path
        count = rows.num_rows
        rows = rows.append_column("source", pa.repeat(self._label, count))
        rows = rows.append_column("known_ts", self._kind.known_ts(file, rows["time_ts"]))
        if unknown.kept:
            odd = unknown_rows(unknown, rows, self._label, FILLS.name, path, FILLS.time)
            for hour, some in by_hour(odd):
                if self._span.holds(hour):
                    self._unknown.setdefault(hour, []).append(some)
                    self._found += fields_in(some["fields"])
        for hour, some in by_hour(rows):
            if self._span.holds(hour):
                self._waiting.setdefault(hour, []).append(some)
                self._givers.setdefault(hour, set()).add(file)
                if self._span.between(hour, file):
                    self._strays += some.num_rows
            elif abs(hour - file) > HOUR:
                self._late.setdefault(hour, []).append(some)
                self._givers.setdefault(hour, set()).add(file)
        self._write([hour for hour in self._waiting if hour < file])

    def close(self) -> set[datetime]:
        """Land what still waits, say what was done, and return the hours that have fills."""
        self._write(list(self._waiting))
        self._writing.result()
        for hour in sorted(self._late):
            self._join(hour, self._late[hour])
        self._landed.rows = sum(self._written.values())
        notes, label = self._landed.notes, self._label
        notes += news(self._batches.lake, label, FILLS.name, self._found)
        if self._disagreeing:
            notes.append(
                f"{label}: {self._disagreeing} duplicates disagreed with the row that was "
                "known first, which was kept"
            )
        if self._strays:
            notes.append(
                f"{label}: {self._strays} fills were in a file that is not next to their hour; "
                "landing only a part of this range may miss them"
            )
        if self._joined:
            notes.append(
                f"{label}: {self._joined} fills came late for hours before or after the range; "
                "they are in their hours, which the lake holds"
            )
        if self._outside:
            notes.append(
                f"{label}: {self._outside} fills lie outside the range and more than an hour "
                "from the hour of their file; the lake does not hold their hours, so they were "
                "not landed"
            )
        return set(self._written)

    def _join(self, hour: datetime, tables: list[pa.Table]) -> None:
        """Add what came late to an hour outside the range, if the lake holds that hour.

        A landing of that day reads the files beside it, and not this one.
        """
        count = sum(some.num_rows for some in tables)
        place = FILLS, hour.date(), f"{self._label}-{hour:%H}"
        if self._batches.held(*place) is None:
            self._outside += count
            return
        self._land(FILLS, hour, sorted(self._givers[hour]), tables, sides)
        self._joined += count

    def _write(self, hours: list[datetime]) -> None:
        """Land hours beside the reading of the next file, one after the other."""
        for hour in sorted(hours):
            self._writing.result()
            tables, odd = self._waiting.pop(hour), self._unknown.pop(hour, [])
            near = {file for file in self._origins if abs(file - hour) <= HOUR}
            read = sorted(near | self._givers[hour])
            self._writing = self._helpers.submit(self._settle, hour, read, tables, odd)

    def _settle(
        self,
        hour: datetime,
        read: list[datetime],
        tables: list[pa.Table],
        odd: list[pa.Table],
    ) -> None:
        """Land the rows of ``hour``, from the files that were ``read`` for it."""
        try:
            kept = self._land(FILLS, hour, read, tables, sides)
        except ContractError as error:
            self.failed[hour] = error
            return
        self._landed.duplicates += kept.duplicates
        self._disagreeing += kept.disagreeing
        self._written[hour] = kept.rows.num_rows
        if odd:
            self._land(UNKNOWN_FIELDS, hour, read, odd, _records)

    def _land(
        self,
        table: Table,
        hour: datetime,
        read: list[datetime],
        tables: list[pa.Table],
        hint: Hint,
    ) -> Kept:
        """Land rows of one table, each once; return what was given, not what was there."""
        place = table, hour.date(), f"{self._label}-{hour:%H}"
        if (drafted := self._batches.drafted(*place)) is not None:
            tables = [*tables, drafted]
        rows = joined(table, tables)
        kept = first_known(rows, table.grain, hint(rows))
        rows = kept.rows
        origins = [one for file in read for one in self._origins[file]]
        # An hour may have been landed from more files than were read now: an archive's mirror
        # that keeps the last days only must not thin out the lake.
        unread = self._before.unread(*place, [self._paths[file] for file in read])
        if unread and (before := self._batches.held(*place)):
            rows = joined(table, [rows, before[0]])
            rows = first_known(rows, table.grain, hint(rows)).rows
            origins += unread
        self._batches.land(table, rows, place[2], origins)
        return kept._replace(rows=rows)


def by_hour(rows: pa.Table) -> Iterator[tuple[datetime, pa.Table]]:
    """Yield the rows of each hour of fill time, in order of time."""
    hours = pc.divide(rows["time_ts"].cast(pa.int64()), HOUR // HOUR.resolution)
    for number in sorted(pc.unique(hours).to_pylist()):
        hour = datetime.fromtimestamp(number * HOUR.total_seconds(), UTC)
        yield hour, rows.filter(pc.equal(hours, number))


def joined(table: Table, some: Sequence[pa.Table]) -> pa.Table:
    """Return rows of a table, of a part or to be landed, as one."""
    names = table.schema.names
    # Without the promises that rows of a part carry, and rows to be landed do not.
    return pa.concat_tables([pa.table({name: rows[name] for name in names}) for rows in some])


def sides(rows: pa.Table) -> np.ndarray:
    """Return a number a fill for :func:`first_known`: the sides of a trade share its id."""
    return rows["trade_id"].to_numpy() * 2 + rows["is_buy"].to_numpy().astype(np.int64)


def _records(rows: pa.Table) -> np.ndarray:
    return rows["record"].to_numpy()  # type: ignore[no-any-return]
