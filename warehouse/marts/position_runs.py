"""This module reads positions coin by coin from Parquet, as arrays that a kernel takes.

Where each coin lies is told by the numbers of a file's words, not by the words; what the file's
statistics tell is not read; and a row group is read at a time, into memory that the one before
has left warm.  So a day costs little more than to decode it.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.marts.binned import Piece
from warehouse.store.lake import Lake

WORDS = ("source", "scope", "coin")
NUMBERS = ("snapshot_ts", "size", "liquidation_px", "mark_px")
NONE = pa.scalar(np.nan)


class Run(NamedTuple):
    """Rows of one source, scope and coin that lie one after the other in a row group."""

    file: "PositionFile"
    group: int
    source: str
    scope: str
    coin: str
    start: int
    rows: int

    @property
    def key(self) -> tuple[str, str, str]:
        """Return source, scope and coin."""
        return self.source, self.scope, self.coin


class PositionFile:
    """A part's file of positions."""

    def __init__(self, lake: Lake, path: str, known: datetime) -> None:
        """Open the file at ``path``.

        Parameters
        ----------
        lake
            Where the file lies.
        path
            Of the file in the lake.
        known
            When the first snapshot of the day was known: before it ``known_ts`` tells nothing.
        """
        place = lake.place(path)
        self._body: Any = place if isinstance(place, Path) else pa.py_buffer(lake.read(path))
        self._metadata: pq.FileMetaData | None = None
        self._metadata = self.open().metadata
        self._at = {name: nth for nth, name in enumerate(self._metadata.schema.names)}
        latest = [self._span(group, "known_ts") for group in self._groups()]
        told = all(span is not None and span[1] <= known for span in latest)
        self._columns = [*NUMBERS, *([] if told else ["known_ts"])]

    @property
    def rows_per_group(self) -> int:
        """Return the rows of the longest row group."""
        return max((group.num_rows for group in self._groups()), default=0)

    def open(self, **how: Any) -> pq.ParquetFile:
        """Return the file for one thread to read."""
        body = self._body if isinstance(self._body, Path) else pa.BufferReader(self._body)
        return pq.ParquetFile(body, metadata=self._metadata, **how)

    def shares(self, many: int) -> list[range]:
        """Return its row groups in so many shares, for threads to find the runs of."""
        groups = len(list(self._groups()))
        ends = [groups * nth // many for nth in range(many + 1)]
        return [range(low, high) for low, high in pairwise(ends) if low < high]

    def runs(self, groups: range) -> Iterator[Run]:
        """Yield the runs of some row groups, in order."""
        held = self.open(read_dictionary=WORDS)
        for number, group in enumerate(self._groups()):
            if number not in groups:
                continue
            spans = {name: self._span(group, name) for name in WORDS}
            words = [name for name in WORDS if spans[name] is None or len({*spans[name]}) > 1]
            rows = held.read_row_group(number, columns=words, use_threads=False)
            told = [_whole(rows[name].unify_dictionaries()) for name in words]
            bounds = _bounds([one.indices.to_numpy() for one in told], group.num_rows)
            starts = pa.array([start for start, _ in bounds], pa.int64())
            named = {name: [span[0]] * len(bounds) for name, span in spans.items() if span}
            named |= {
                name: one.take(starts).to_pylist()
                for name, one in zip(words, told, strict=True)
            }
            said = zip(*(named[name] for name in WORDS), bounds, strict=True)
            for source, scope, coin, (start, stop) in said:
                yield Run(self, number, source, scope, coin, start, stop - start)

    def piece(self, held: pq.ParquetFile, group: int) -> Piece:
        """Return all rows of a row group."""
        return piece_of(held.read_row_group(group, columns=self._columns, use_threads=False))

    def _groups(self) -> Iterator[pq.RowGroupMetaData]:
        assert self._metadata is not None
        return map(self._metadata.row_group, range(self._metadata.num_row_groups))

    def _span(self, group: pq.RowGroupMetaData, name: str) -> tuple[Any, Any] | None:
        """Return the least and the largest value by the statistics; None: not told."""
        told = group.column(self._at[name]).statistics
        return (told.min, told.max) if told is not None and told.has_min_max else None


class Reader:
    """What one thread reads runs with; each file's last row group is kept."""

    def __init__(self) -> None:
        """Begin with no file open."""
        self._held: dict[int, pq.ParquetFile] = {}
        self._last: dict[int, tuple[int, Piece]] = {}

    def pieces(self, runs: Sequence[Run]) -> Iterator[Piece]:
        """Yield the rows of each run."""
        for run in runs:
            file = id(run.file)
            if file not in self._held:
                self._held[file] = run.file.open()
            if self._last.get(file, (None,))[0] != run.group:
                self._last[file] = run.group, run.file.piece(self._held[file], run.group)
            yield self._last[file][1].some(run.start, run.start + run.rows)


def piece_of(rows: pa.Table) -> Piece:
    """Return ``NUMBERS``, and ``known_ts`` if it is there, as arrays."""
    moment, *numbers = (_whole(rows[name]) for name in NUMBERS)
    known = None
    if "known_ts" in rows.column_names:
        known = _whole(rows["known_ts"]).to_numpy().view("i8")
    return Piece(
        moment.to_numpy().view("i8"),
        *(
            (one.fill_null(NONE) if one.null_count else one).to_numpy(zero_copy_only=True)
            for one in numbers
        ),
        known,
    )


def by_coin(rows: pa.Table) -> Iterator[tuple[str, Piece]]:
    """Yield the rows of each coin, with those of one side by side; else as :func:`piece_of`."""
    coins = _whole(rows["coin"]).dictionary_encode()
    whole = piece_of(rows)
    for start, stop in _bounds([coins.indices.to_numpy()], rows.num_rows):
        yield coins[start].as_py(), whole.some(start, stop)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _bounds(codes: Sequence[np.ndarray], rows: int) -> list[tuple[int, int]]:
    """Return where each stretch of rows without a change in ``codes`` starts and stops."""
    other = np.zeros(max(rows - 1, 0), dtype=bool)
    for one in codes:
        other |= one[1:] != one[:-1]
    changes = (np.flatnonzero(other) + 1).tolist()
    return list(pairwise([0, *changes, rows])) if rows else []
