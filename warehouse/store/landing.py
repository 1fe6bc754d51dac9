"""This module lands batches: parts and ledger together, all of a batch or nothing.

Parts are drafted in a stage no reader looks at.  When everything has been read and checked
they are put in place and the ledger is replaced, which is the one step that makes them count.
Killed before it, a landing has not happened; a repeat lands the same bytes.  Only coins that
nobody had told of are known by then (:mod:`warehouse.store.coins`).

A batch landed again is one of three things.  The same rows: nothing happens.  Other rows from
files that are unchanged (more of them were read, or read better): they take the place of the
old.  Other rows because a file of the source, or its answer, changed: a correction, which gets
a revision of its own from the moment it was received; the old rows stay what was knowable.

Where the batch lies in one file with others (:mod:`warehouse.store.compaction`) and its rows
are other ones, all parts of that file get their own files back in the same step.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.contracts.table import Table
from warehouse.store import coins
from warehouse.store.book import Reader
from warehouse.store.lake import Lake
from warehouse.store.ledger import Origin, Part, as_parts, change, code_version, parts_of
from warehouse.store.parts import by_day, checked_part, digest, path_of, read_part, write_part
from warehouse.store.settling import rows_of, settled, taken_apart

Clock = Callable[[], datetime]


def _wall() -> datetime:
    return datetime.now(UTC)


class Landing:
    """Batches on their way into a lake; see :func:`landing`.

    Attributes
    ----------
    lake, stage
        Where parts go, and where they wait.
    drafts
        Parts that wait, in the order they came.
    places
        Table -> where its parts lie; filled when the landing has ended well.
    """

    def __init__(self, lake: Lake, stage: Path, clock: Clock) -> None:
        self.lake, self.stage = lake, stage
        self.drafts: list[Part] = []
        self.places: dict[str, list[Any]] = {}
        self._clock = clock
        self._coins: dict[tuple[str, date, str], pa.Table] = {}

    def land(
        self, table: Table, batch: pa.Table, part: str, origins: Sequence[Origin] = ()
    ) -> list[Part]:
        """Draft one part of each day that ``batch`` touches.

        Parameters
        ----------
        table
            Contract the batch is held to before anything is written.
        batch
            Rows without ``day``, in any order.
        part
            Name of the batch: lower-case letters, digits and ``_ . = -``.
        origins
            What the rows were read from; none: they are derived from the lake.

        Raises
        ------
        ContractError
            If a row breaks the contract.
        ValueError
            If ``part`` is no name for a file.
        """
        checked_part(table, part)
        found = by_day(table, table.check(batch))
        drafted = [self._draft(table, day, part, rows, origins) for day, rows in found]
        again = {one.key for one in drafted}
        self.drafts = [one for one in self.drafts if one.key not in again] + drafted
        return drafted

    def land_nothing(self, table: Table, day: date, part: str) -> None:
        """Draft a part without rows: its day was made, and holds nothing.

        Raises
        ------
        ValueError
            If ``part`` is no name for a file.
        """
        checked_part(table, part)
        self.drafts.append(self._draft(table, day, part, table.schema.empty_table(), ()))

    def _draft(
        self, table: Table, day: date, part: str, rows: pa.Table, origins: Sequence[Origin]
    ) -> Part:
        """Write the rows of a day into the stage, and return their line of the ledger."""
        path = path_of(table.name, day, part)
        file = self.stage / path
        file.parent.mkdir(parents=True, exist_ok=True)
        write_part(rows, file)
        span = pc.min_max(rows[table.time]).as_py()
        midnight = datetime.combine(day, time(), UTC)
        known = rows["known_ts"] if "known_ts" in rows.column_names else None
        self._coins[table.name, day, part] = coins.told_of(table, rows)
        return Part(
            table_name=table.name,
            day=day,
            part=part,
            revision=1,
            path=path,
            source=_only(rows, "source"),
            origins=tuple(origins),
            bytes=file.stat().st_size,
            hash=digest(file),
            rows=rows.num_rows,
            min_ts=span["min"] or midnight,
            max_ts=span["max"] or midnight,
            known_ts=None if known is None else pc.max(known).as_py(),
            contract=table.version,
            code=code_version(),
            received_ts=self._clock(),
        )

    def drafted(self, table: Table, day: date, part: str) -> pa.Table | None:
        """Return the rows of a part that waits; None: there is none."""
        for draft in self.drafts:
            if draft.key == (table.name, day, part):
                return read_part((self.stage / draft.path).read_bytes())
        return None

    def held(self, table: Table, day: date, part: str) -> tuple[pa.Table, Part] | None:
        """Return the rows that count today of a part in the lake; None: there is none."""
        lines = parts_of(self.lake, {day})
        named = pc.and_(
            pc.equal(lines["table_name"], table.name), pc.equal(lines["part"], part)
        )
        for line in as_parts(lines.filter(named)):
            if line.superseded_ts is None:
                rows = rows_of(self.lake, line.path, line.part)
                return None if rows is None else (rows, line)
        return None

    def drop(self, keys: Iterable[tuple]) -> None:
        """Leave parts out: what a check refused."""
        refused = set(keys)
        self.drafts = [one for one in self.drafts if one.key not in refused]

    def commit(self, agreed: Callable[[Reader], None] | None = None) -> None:
        """Put the parts in place and enter them in the ledger, as one step for readers.

        Parameters
        ----------
        agreed
            See :meth:`warehouse.store.book.Book.change`; what it raises leaves the lake, and
            the drafts, as they are.
        """
        if not self.drafts:
            return
        drafts = sorted(self.drafts, key=lambda one: one.key)
        unheard = coins.unheard(self.lake, [self._coins[draft.key] for draft in drafts])

        def entered(before: list[Part]) -> list[Part]:
            puts, told = [], []
            keys = {draft.key for draft in drafts}
            after = [line for line in before if line.key not in keys]
            places: dict[str, list[Any]] = {}
            for draft in drafts:
                lines = [line for line in before if line.key == draft.key]
                lines, line = settled(self.lake, self.stage, draft, lines)
                after += lines
                places.setdefault(line.table_name, []).append(self.lake.place(line.path))
                told.append(coins.received(self._coins[draft.key], line.since_ts))
                if line.received_ts is draft.received_ts:
                    puts.append((self.stage / draft.path, line.path))
            after, restored = taken_apart(self.lake, self.stage, before, after)
            if unheard:
                coins.hear(self.lake, told)
            self.lake.publish([*restored, *puts])
            self.places = places
            return after

        change(self.lake, [draft.key for draft in drafts], entered, agreed)
        self.drafts = []


def _only(rows: pa.Table, name: str) -> str | None:
    """Return the one value a column holds; None: several, or no such column."""
    if name not in rows.column_names:
        return None
    values = pc.unique(rows[name]).to_pylist()
    return values[0] if len(values) == 1 else None


@contextmanager
def landing(where: Lake | Path | str, clock: Clock = _wall) -> Iterator[Landing]:
    """Yield a :class:`Landing` whose batches count once the block has ended well.

    Parameters
    ----------
    where
        The lake; made if it is not there.
    clock
        When parts are received; for the ledger only.
    """
    lake = Lake.at(where)
    with lake.stage() as stage:
        batches = Landing(lake, stage, clock)
        yield batches
        batches.commit()


def land(
    where: Lake | Path | str,
    table: Table,
    batch: pa.Table,
    part: str,
    origins: Sequence[Origin] = (),
    clock: Clock = _wall,
) -> list[Any]:
    """Land one batch of one table, and return where its parts lie; see :meth:`Landing.land`."""
    with landing(where, clock) as batches:
        batches.land(table, batch, part, origins)
    return batches.places.get(table.name, [])
