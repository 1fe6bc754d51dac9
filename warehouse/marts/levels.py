"""This module makes a day's levels: the map of every snapshot and coin, binned.

Of complete snapshots the rows are read once, all coins and hours together, and binned by
:mod:`warehouse.kernels.levels`.  A sweep merges account by account, so its positions are those
that the macro ``dex_positions_at`` says.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from os import cpu_count
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.contracts.liquidation_levels import LIQUIDATION_LEVELS, WIDTH_PCT
from warehouse.kernels.levels import cells_of_coin, edges_of, logarithms
from warehouse.store.lake import Lake

COLUMNS = ("coin", "snapshot_ts", "size", "liquidation_px", "mark_px", "known_ts")
# Buckets of 0.5 % from 1e-15 to 1e15 USD: wider than prices can be told apart.
FIRST, LAST = -6_926, 6_926
EDGES, LOGS = edges_of(FIRST, LAST, WIDTH_PCT), logarithms()
STEP = float(np.log1p(WIDTH_PCT / 100.0))
SIDES = pa.array(["long", "short"])

COMPLETE = """
select source, scope, snapshot_ts, max(known_ts) as known_ts
from snapshots where day = $day and complete and trusted group by all
"""
SWEEPS = """
select source, scope, snapshot_ts, known_ts from snapshots
where day = $day and not complete and trusted and accounts_asked > coalesce(accounts_failed, 0)
order by all
"""
MERGED = """
select
    p.coin, p.size, p.liquidation_px, p.current_px,
    greatest(p.known_ts, (select max(s.known_ts) from states_at($coin, $at) as s)) as known_ts
from dex_positions_at($coin, $at) as p
where exists (
    from snapshot_at($coin, $at) as a
    where a.snapshot_ts = $at and a.source = $source and a.scope = $scope
)
order by p.coin
"""


class Outside(ValueError):
    """A liquidation price lies outside every bucket that levels have."""


class _Cells(NamedTuple):
    """What the kernel says of one coin."""

    coin: str
    source: str
    scope: str
    moments: np.ndarray  # int64[s], µs
    known: np.ndarray  # int64[s], µs
    index: np.ndarray
    sums: np.ndarray
    marks: np.ndarray


def levels_of_day(
    con: duckdb.DuckDBPyConnection, lake: Lake, paths: Sequence[str], day: date
) -> pa.Table:
    """Return the levels of every snapshot of a day.

    Parameters
    ----------
    con
        The lake, opened.
    lake
        Where the files lie.
    paths
        Files of ``positions`` of the day that count now.
    day
        UTC.

    Returns
    -------
    Table
        Rows of ``liquidation_levels``.

    Raises
    ------
    Outside
        If a price is below 1e-15 or above 1e15 USD.
    """
    complete = con.sql(COMPLETE, params={"day": day}).pl()
    cells = [*_of_complete(lake, paths, complete), *_of_sweeps(con, day)]
    tables = [_rows(each) for each in cells if each.index.size]
    return pa.concat_tables(tables) if tables else LIQUIDATION_LEVELS.schema.empty_table()


def _of_complete(lake: Lake, paths: Sequence[str], complete: pl.DataFrame) -> list[_Cells]:
    """Bin the rows of complete snapshots, every coin and moment in one pass."""
    groups = complete.group_by("source", "scope", maintain_order=True)
    wanted = {key: rows.sort("snapshot_ts") for key, rows in groups}
    slices: dict[tuple, list[pl.DataFrame]] = defaultdict(list)
    for path in paths if wanted else ():
        for key, rows in _by_snapshots(lake, path):
            if key in wanted:
                coins = rows["coin"].rle().struct.unnest()
                starts = coins["len"].cum_sum() - coins["len"]
                values = rows.drop("coin")
                for coin, start, count in zip(
                    coins["value"], starts, coins["len"], strict=True
                ):
                    slices[*key, coin].append(values.slice(start, count))
    # The largest first, so that no thread is left with it alone at the end.
    order = sorted(slices, key=lambda key: -sum(len(one) for one in slices[key]))
    with ThreadPoolExecutor(cpu_count()) as threads:
        return list(
            threads.map(
                lambda key: _binned(*key, pl.concat(slices.pop(key)), wanted[key[:2]]), order
            )
        )


def _by_snapshots(lake: Lake, path: str) -> Iterator[tuple[tuple[str, str], pl.DataFrame]]:
    """Yield the rows of a file by source and scope, sorted by coin."""
    place = lake.place(path)
    body: Any = place if isinstance(place, Path) else lake.read(path)
    held = pq.ParquetFile(place if isinstance(place, Path) else pa.BufferReader(body))
    if (key := _constant(held.metadata)) is not None:
        yield key, pl.read_parquet(body, columns=list(COLUMNS), hive_partitioning=False)
        return
    rows = pl.read_parquet(body, columns=[*COLUMNS, "source", "scope"], hive_partitioning=False)
    for (source, scope), some in rows.group_by("source", "scope", maintain_order=True):
        yield (str(source), str(scope)), some.drop("source", "scope")


def _constant(metadata: pq.FileMetaData) -> tuple[str, str] | None:
    """Return source and scope of a file whose rows are all of one, by its statistics."""
    names = metadata.schema.names
    found: set[tuple[str, str]] = set()
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        both = [row_group.column(names.index(name)).statistics for name in ("source", "scope")]
        if any(one is None or one.min != one.max for one in both):
            return None
        found.add((both[0].min, both[1].min))
    return found.pop() if len(found) == 1 else None


def _binned(
    source: str, scope: str, coin: str, rows: pl.DataFrame, snapshots: pl.DataFrame
) -> _Cells:
    moments = snapshots["snapshot_ts"].to_physical().to_numpy()
    moment = rows["snapshot_ts"].to_physical().to_numpy()
    cells = _cells(moment, moments, rows)
    known = snapshots["known_ts"].to_physical().to_numpy().copy()
    if (rows["known_ts"].max() or known.min()) > snapshots["known_ts"].min():
        latest = rows.group_by("snapshot_ts").agg(pl.col("known_ts").max())
        place = np.searchsorted(moments, latest["snapshot_ts"].to_physical().to_numpy())
        inside = place < moments.size
        np.maximum.at(known, place[inside], latest["known_ts"].to_physical().to_numpy()[inside])
    return _Cells(coin, source, scope, moments, known, *cells)


def _of_sweeps(con: duckdb.DuckDBPyConnection, day: date) -> Iterator[_Cells]:
    """Bin what each sweep of the day merges to, one sweep after the other."""
    for source, scope, at, known in con.execute(SWEEPS, {"day": day}).fetchall():
        asked = {"coin": f"{scope}:", "at": at, "source": source, "scope": scope}
        merged = con.sql(MERGED, params=asked).pl()
        moments = np.array([_micros(at)])
        for (coin,), rows in merged.group_by("coin", maintain_order=True):
            mark = rows["current_px"][0]
            index, sums, _ = _cells(
                np.full(rows.height, moments[0]),
                moments,
                rows.rename({"current_px": "mark_px"}),
            )
            latest = max(known, rows["known_ts"].max())  # type: ignore[type-var]
            marks = np.array([np.nan if mark is None else mark])
            yield _Cells(
                str(coin),
                source,
                scope,
                moments,
                np.array([_micros(latest)]),
                index,
                sums,
                marks,
            )


def _cells(moment: np.ndarray, moments: np.ndarray, rows: pl.DataFrame) -> tuple:
    px = _floats(rows["liquidation_px"])
    size, mark = _floats(rows["size"]), _floats(rows["mark_px"])
    index, sums, marks, outside = cells_of_coin(
        np.ascontiguousarray(moment), size, px, mark, px.view("i8"), moments, EDGES, LOGS, STEP
    )
    if outside:
        raise Outside(f"{outside} liquidation prices are not from 1e-15 to 1e15 USD")
    return index, sums, marks


def _floats(values: pl.Series) -> np.ndarray:
    """Return a column as contiguous ``float64``; null becomes NaN."""
    return np.ascontiguousarray(values.fill_null(np.nan).to_numpy())


def _micros(at: Any) -> int:
    return int(pa.scalar(at, pa.timestamp("us", tz="UTC")).value)


def _rows(cells: _Cells) -> pa.Table:
    """Return cells as rows of the contract."""
    buckets = EDGES.size - 1
    place, within = np.divmod(cells.index, 2 * buckets)
    side, bucket = np.divmod(within, buckets)
    notional, weighted, size, count, top, squares = cells.sums.T
    known_ts = pa.array(cells.known[place], pa.timestamp("us", tz="UTC"))
    columns = {
        "snapshot_ts": pa.array(cells.moments[place], pa.timestamp("us", tz="UTC")),
        "source": _same(cells.source, place.size),
        "scope": _same(cells.scope, place.size),
        "coin": _same(cells.coin, place.size),
        "side": pa.DictionaryArray.from_arrays(side, SIDES).cast(pa.string()),
        "bucket": bucket + FIRST,
        "px": weighted / notional,
        "size": size,
        "notional": notional,
        "positions": count.astype(np.int64),
        "top_account_share": top / notional,
        "herfindahl": squares / (notional * notional),
        "current_px": pa.array(cells.marks[place], from_pandas=True),
        "known_ts": known_ts,
    }
    return pa.table(columns).select(LIQUIDATION_LEVELS.schema.names)


def _same(text: str, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(text), count)
