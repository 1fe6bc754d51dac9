"""This module keeps the lines of a ledger so that a change costs the same after years.

A book is one small file and its pages.  The file holds the lines of the newest days and of days
that changed lately; replacing it is the one step by which anything counts.  The other days lie
in pages, one a month, which never change: the file's footer says which page holds which days.
So a change reads and writes the file, and of a page at most the days it touches; once enough
lines of older days have gathered they are folded into new pages, in the same step.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from warehouse.contracts.table import Table
from warehouse.store.lake import LEDGER, Lake
from warehouse.store.whole import whole

# Measured: a file of 5,000 lines is read in 2 ms and written in 5 ms; one of 569,000, a year of
# a tail each minute, in 1 s each.
FOLD_AT = 4096
KEPT = 2  # newest days, which are still written to
# A day is read without its month: of a tail each minute it has 1,600 lines.
LINES_PER_GROUP = 4096
AT_ONCE = 8
_PAGES = b"undertow.pages"

Reader = Callable[[Collection[date]], pa.Table]


class State(NamedTuple):
    """What a book's file says: lines of some days, and where those of the others lie."""

    lines: pa.Table
    pages: dict[str, set[date]]


class PageGone(OSError):
    """A page that the ledger lists is not there."""


class Book:
    """The lines of one ledger, by ``day``.

    Parameters
    ----------
    table
        Their contract; one column is ``day``.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self.path = f"{LEDGER}/{table.name}.parquet"
        self.folder = f"{LEDGER}/{table.name}"

    def state(self, body: bytes | None) -> State:
        """Return what the bytes of the book's file say; None: there is none yet."""
        if body is None:
            return State(self.table.schema.empty_table(), {})
        with whole(self.path, "put it back from a copy of the lake"):
            held = pq.ParquetFile(pa.BufferReader(body))
            lines = held.read().cast(self.table.schema)
        said = json.loads((held.metadata.metadata or {}).get(_PAGES, b"{}"))
        pages = {path: {_day(path, one) for one in days} for path, days in said.items()}
        return State(lines, pages)

    def read(self, lake: Lake, days: Collection[date] | None = None) -> pa.Table:
        """Return the lines of some days, or of all, in no order.

        Raises
        ------
        PageGone
            If a page is lost.
        Unreadable
            If a page, or the book's file, is not whole.
        """
        body = lake.read(self.path)
        while True:
            try:
                return self.lines_of(lake, self.state(body), days)
            except PageGone:
                before, body = body, lake.read(self.path)
                if before == body:  # else it was folded anew, and removed, while we read
                    raise

    def lines_of(
        self, lake: Lake, state: State, days: Collection[date] | None = None
    ) -> pa.Table:
        """Return the lines of some days, or of all, that a state of the book has."""
        if days is None:
            return pa.concat_tables([state.lines, *self._pages(lake, state.pages)])
        asked = {path: held & set(days) for path, held in state.pages.items()}
        asked = {path: some for path, some in asked.items() if some}
        lines = state.lines.filter(_of(state.lines, days))
        return pa.concat_tables([lines, *self._pages(lake, asked)])

    def change(
        self,
        lake: Lake,
        days: Collection[date],
        how: Callable[[pa.Table], pa.Table | None],
        agreed: Callable[[Reader], None] | None = None,
    ) -> None:
        """Replace the lines of some days by what ``how`` makes of them, as one step.

        Parameters
        ----------
        lake
            Where the book lies.
        days
            Whose lines change.
        how
            Takes their lines and returns those that take their place, as the contract has them;
            None: nothing changes.  Called again if somebody else wrote first.
        agreed
            Called first, with what reads the lines of other days in the version that is about
            to be replaced; raises if it must not be.
        """
        days = set(days)

        def swapped(body: bytes | None) -> bytes | None:
            state = self.state(body)
            if agreed:
                agreed(lambda some: self.lines_of(lake, state, some))
            after = how(self.lines_of(lake, state, days))
            if after is None:
                return None
            rest = state.lines.filter(pc.invert(_of(state.lines, days)))
            pages = {path: held - days for path, held in state.pages.items()}
            pages = {path: held for path, held in pages.items() if held}
            opened = State(pa.concat_tables([rest, after]), pages)
            return self._body(self._folded(lake, opened, body))

        lake.swap(self.path, swapped)

    def _folded(self, lake: Lake, state: State, before: bytes | None) -> State:
        """Return the same lines, those of older days in pages once they are many.

        Parameters
        ----------
        lake, state
            The lines, and where the pages go.
        before
            The file that is about to be replaced.  A page is named after it too, so that a name
            that was given up, and may be about to be removed, never comes back.
        """
        lines, pages = state
        older = sorted(pc.unique(lines["day"]).to_pylist())[:-KEPT]
        folding = _of(lines, older)
        if lines.filter(folding).num_rows < FOLD_AT:
            return state
        pages, drafts = dict(pages), []
        with lake.stage() as stage:
            for month in sorted({f"{day:%Y-%m}" for day in older}):
                days = {day for day in older if f"{day:%Y-%m}" == month}
                joined = {path: pages[path] for path in pages if f"/{month}~" in path}
                some = [lines.filter(_of(lines, days)), *self._pages(lake, joined)]
                body = _written(_sorted(pa.concat_tables(some), ["day", *self.table.grain]))
                mark = hashlib.sha256(body + (before or b"")).hexdigest()[:16]
                drafts.append((stage / month, f"{self.folder}/{month}~{mark}.parquet"))
                drafts[-1][0].write_bytes(body)
                for path in joined:
                    days |= pages.pop(path)
                pages[drafts[-1][1]] = days
            lake.publish(drafts)
        return State(lines.filter(pc.invert(folding)), pages)

    def _body(self, state: State) -> bytes:
        """Return the bytes of the book's file."""
        said = {
            path: sorted(one.day for one in held) for path, held in sorted(state.pages.items())
        }
        lines = _sorted(state.lines, self.table.grain)
        return _written(lines, {_PAGES: json.dumps(said).encode()} if said else {})

    def _pages(self, lake: Lake, asked: Mapping[str, set[date]]) -> Iterable[pa.Table]:
        """Return the lines of some days of each page."""
        if len(asked) < 2:
            return [self._page(lake, *one) for one in asked.items()]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(lambda one: self._page(lake, *one), asked.items()))

    def _page(self, lake: Lake, path: str, days: set[date]) -> pa.Table:
        if (body := lake.read(path)) is None:
            raise PageGone(
                f"lake {lake}: {path} is gone, which lists the parts of {min(days)} to "
                f"{max(days)}: put it back from a copy of the lake"
            )
        with whole(path, "put it back from a copy of the lake"):
            held = pq.ParquetFile(pa.BufferReader(body))
            nth = held.schema_arrow.names.index("day")
            groups = []
            for group in range(held.num_row_groups):
                told = held.metadata.row_group(group).column(nth).statistics
                if told.min <= max(days) and min(days) <= told.max:
                    groups.append(group)
            lines = held.read_row_groups(groups).cast(self.table.schema)
        return lines.filter(_of(lines, days))


def _day(path: str, number: int) -> date:
    """Return a day of the month that a page is of.

    >>> _day("_ledger/parts/2026-01~c0ffee.parquet", 7)
    datetime.date(2026, 1, 7)
    """
    month = path.rpartition("/")[2].partition("~")[0]
    return date.fromisoformat(f"{month}-{number:02}")


def _of(lines: pa.Table, days: Collection[date]) -> pa.ChunkedArray:
    """Return which lines are of some days."""
    return pc.is_in(lines["day"], pa.array(sorted(days), pa.date32()))


def _sorted(lines: pa.Table, names: Sequence[str]) -> pa.Table:
    return lines.sort_by([(name, "ascending") for name in names])


def _written(lines: pa.Table, metadata: Mapping[bytes, bytes] | None = None) -> bytes:
    said = {**(lines.schema.metadata or {}), **(metadata or {})}
    lines = lines.replace_schema_metadata(said)
    sink = pa.BufferOutputStream()
    pq.write_table(lines, sink, compression="zstd", row_group_size=LINES_PER_GROUP)
    return sink.getvalue().to_pybytes()
