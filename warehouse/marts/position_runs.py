"""This module reads a file of positions coin by coin, as arrays that a kernel takes.

What the file's statistics tell is not read, and nothing is copied that does not have to be: a
day is read about as fast as it can be decoded.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.store.lake import Lake

COLUMNS = ("coin", "snapshot_ts", "size", "liquidation_px", "mark_px")


class Run(NamedTuple):
    """Positions of one coin, source and scope that lie one after the other in a file."""

    source: str
    scope: str
    coin: str
    rows: int
    columns: dict[str, pl.Series]  # each of one chunk

    def arrays(self) -> tuple[np.ndarray, ...]:
        """Return moment (int64, µs), size, liquidation price (NaN: none) and mark."""
        moment = self.columns["snapshot_ts"].to_physical().to_numpy()
        return (moment, *(self.columns[name].to_numpy() for name in COLUMNS[2:]))

    def known(self) -> np.ndarray | None:
        """Return when each was known (int64, µs); None: none later than its snapshot."""
        if "known_ts" not in self.columns:
            return None
        return self.columns["known_ts"].to_physical().to_numpy()


def runs_of(lake: Lake, path: str, known: datetime) -> Iterator[Run]:
    """Yield the rows of a part's file.

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
    body: Any = place if isinstance(place, Path) else lake.read(path)
    held = pq.ParquetFile(place if isinstance(place, Path) else pa.BufferReader(body))
    spans = {name: _span(held.metadata, name) for name in ("source", "scope", "known_ts")}
    same = [
        span[0]
        for span in (spans["source"], spans["scope"])
        if span is not None and span[0] == span[1]
    ]
    latest = spans["known_ts"]
    columns = [*COLUMNS, *([] if len(same) == 2 else ["source", "scope"])]
    columns += [] if latest and latest[1] <= known else ["known_ts"]
    rows = pl.read_parquet(body, columns=columns, hive_partitioning=False)
    if len(same) == 2:
        yield from by_coin(str(same[0]), str(same[1]), rows)
        return
    for (source, scope), some in rows.group_by("source", "scope", maintain_order=True):
        yield from by_coin(str(source), str(scope), some)


def by_coin(source: str, scope: str, rows: pl.DataFrame) -> Iterator[Run]:
    """Yield the runs of a coin, chunk by chunk: to make one of many costs as much as to read.

    Parameters
    ----------
    source, scope
        Of the rows.
    rows
        ``COLUMNS``, and perhaps ``known_ts``.
    """
    chunks = [one.get_chunks() for one in rows.get_columns()]
    if len({tuple(map(len, some)) for some in chunks}) > 1:
        chunks = [[one.rechunk()] for one in rows.get_columns()]
    for columns in zip(*chunks, strict=True):
        named = dict(zip(rows.columns, columns, strict=True))
        runs = named.pop("coin").rle().struct.unnest()
        start = 0
        for length, coin in zip(runs["len"], runs["value"], strict=True):
            some = {name: one.slice(start, length) for name, one in named.items()}
            yield Run(source, scope, coin, length, some)
            start += length


def _span(metadata: pq.FileMetaData, name: str) -> tuple[Any, Any] | None:
    """Return the least and the largest value of a column by its statistics; None: not told."""
    at = metadata.schema.names.index(name)
    groups = [metadata.row_group(group) for group in range(metadata.num_row_groups)]
    told = [group.column(at).statistics for group in groups]
    if not told or any(one is None or not one.has_min_max for one in told):
        return None
    return min(one.min for one in told), max(one.max for one in told)
