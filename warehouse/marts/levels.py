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
from warehouse.contracts.table import TS
from warehouse.kernels.levels import cells_of_coin, edges_of, logarithms
from warehouse.store.lake import Lake

COLUMNS = ("coin", "snapshot_ts", "size", "liquidation_px", "mark_px")
# Buckets of 0.5 % from 1e-15 to 1e15 USD: wider than prices can be told apart.
FIRST, LAST = -6_926, 6_926
EDGES, LOGS = edges_of(FIRST, LAST, WIDTH_PCT), logarithms()
STEP = float(np.log1p(WIDTH_PCT / 100.0))
TIMES = ("snapshot_ts", "known_ts")
EARLIEST = np.iinfo(np.int64).min
TIME = pl.Datetime("us", "UTC")

COMPLETE = """
select source, scope, snapshot_ts, max(known_ts) as known_ts
from snapshots where day = $day and complete and trusted group by all
"""
SWEEPS = """
select source, scope, snapshot_ts, known_ts from snapshots
where day = $day and not complete and trusted and accounts_asked > coalesce(accounts_failed, 0)
order by all
"""
# Where the sweep itself saw nothing of a coin, a context says its mark: known when that was.
MERGED = """
with states as materialized (
    from states_at($coin, $at)
),
held as materialized (
    from dex_positions_at($coin, $at)
),
context as (
    select c.coin, c.known_ts
    from asset_contexts as c
    where
        c.day in ($day, $day - 1)
        and c.venue = 'hyperliquid'
        and c.mark_px is not null
        and c.context_ts <= $at
        and c.coin in (select h.coin from held as h)
        and c.coin not in (
            select h.coin
            from held as h
            inner join states as s on h.account = s.account
            where s.sweep_ts = $at
        )
    qualify row_number() over (partition by c.coin order by c.context_ts desc, c.source) = 1
)
select
    p.coin, p.size, p.liquidation_px, p.current_px as mark_px,
    greatest(p.known_ts, c.known_ts, (select max(s.known_ts) from states as s)) as known_ts
from held as p
left join context as c on p.coin = c.coin
where exists (
    from snapshot_at($coin, $at) as a
    where a.snapshot_ts = $at and a.source = $source and a.scope = $scope
)
order by p.coin
"""


class Outside(ValueError):
    """A liquidation price lies outside every bucket that levels have."""


class _Rows(NamedTuple):
    """Positions of one coin, or of all coins of a file, as the kernel takes them."""

    moment: np.ndarray  # int64[n], µs
    size: np.ndarray
    px: np.ndarray  # NaN: none
    mark: np.ndarray
    known: np.ndarray  # int64[n], µs; empty: none is later than its snapshot's

    @classmethod
    def of(cls, rows: pl.DataFrame) -> "_Rows":
        rows = rows.select(
            pl.col("snapshot_ts", "^known_ts$").to_physical(),
            pl.col("size", "liquidation_px", "mark_px").fill_null(np.nan),
        ).rechunk()
        names = ("snapshot_ts", "size", "liquidation_px", "mark_px")
        late = "known_ts" in rows.columns
        known = rows["known_ts"].to_numpy() if late else np.empty(0, dtype=np.int64)
        return cls(*(rows[name].to_numpy() for name in names), known)

    def part(self, start: int, stop: int) -> "_Rows":
        return _Rows(*(column[start:stop] for column in self))


class _Snapshots(NamedTuple):
    """Snapshots of one source and scope, in order of time."""

    source: str
    scope: str
    moments: np.ndarray  # int64[s], µs
    known: np.ndarray  # int64[s], µs


class _Cells(NamedTuple):
    """What the kernel says of one coin."""

    coin: str
    snapshots: _Snapshots
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
    return _table([each for each in cells if each.index.size])


def _of_complete(lake: Lake, paths: Sequence[str], complete: pl.DataFrame) -> list[_Cells]:
    """Bin the rows of complete snapshots, every coin and moment in one pass."""
    wanted = {
        key: _Snapshots(*key, *(rows[name].to_physical().to_numpy() for name in TIMES))
        for key, rows in complete.sort(TIMES[0]).group_by(
            "source", "scope", maintain_order=True
        )
    }
    parts: dict[tuple, list[_Rows]] = defaultdict(list)
    for path in paths if wanted else ():
        for key, rows in _by_snapshots(lake, path, complete["known_ts"].min()):
            if key in wanted:
                coins = rows["coin"].rle().struct.unnest()
                stops = coins["len"].cum_sum().to_list()
                values = _Rows.of(rows)
                for coin, start, stop in zip(coins["value"], [0, *stops], stops, strict=False):
                    parts[*key, coin].append(values.part(start, stop))

    def binned(key: tuple) -> _Cells:
        some = parts[key]
        return _binned(
            str(key[2]), wanted[key[:2]], some[0] if len(some) == 1 else _joined(some)
        )

    # The largest first, so that no thread is left with it alone at the end.
    order = sorted(parts, key=lambda key: -sum(one.size.size for one in parts[key]))
    with ThreadPoolExecutor(cpu_count()) as threads:
        return list(threads.map(binned, order))


def _joined(parts: Sequence[_Rows]) -> _Rows:
    known = [
        one.known if one.known.size else np.full_like(one.moment, EARLIEST) for one in parts
    ]
    columns = zip(
        *(one._replace(known=late) for one, late in zip(parts, known, strict=True)), strict=True
    )
    return _Rows(*(np.concatenate(column) for column in columns))


def _by_snapshots(
    lake: Lake, path: str, known: Any
) -> Iterator[tuple[tuple[str, str], pl.DataFrame]]:
    """Yield the rows of a file by source and scope, sorted by coin.

    What its statistics tell is not read: a word that is the same in all rows, and when rows
    were known if none was later than ``known``.
    """
    place = lake.place(path)
    body: Any = place if isinstance(place, Path) else lake.read(path)
    held = pq.ParquetFile(place if isinstance(place, Path) else pa.BufferReader(body))
    spans = {name: _span(held.metadata, name) for name in ("source", "scope", "known_ts")}
    told = [spans[name] for name in ("source", "scope")]
    same = [span[0] for span in told if span and span[0] == span[1]]
    latest = spans["known_ts"]
    columns = [*COLUMNS, *([] if len(same) == 2 else ["source", "scope"])]
    columns += [] if latest and latest[1] <= known else ["known_ts"]
    rows = pl.read_parquet(body, columns=columns, hive_partitioning=False)
    if len(same) == 2:
        yield (same[0], same[1]), rows
        return
    for (source, scope), some in rows.group_by("source", "scope", maintain_order=True):
        yield (str(source), str(scope)), some


def _span(metadata: pq.FileMetaData, name: str) -> tuple[Any, Any] | None:
    """Return the least and the largest value of a column by its statistics; None: not told."""
    at = metadata.schema.names.index(name)
    groups = [metadata.row_group(group) for group in range(metadata.num_row_groups)]
    told = [group.column(at).statistics for group in groups]
    if not told or any(one is None or not one.has_min_max for one in told):
        return None
    return min(one.min for one in told), max(one.max for one in told)


def _binned(coin: str, snapshots: _Snapshots, rows: _Rows) -> _Cells:
    index, sums, marks, outside = cells_of_coin(
        rows.moment,
        rows.size,
        rows.px,
        rows.mark,
        rows.px.view("i8"),
        snapshots.moments,
        EDGES,
        LOGS,
        STEP,
    )
    if outside:
        raise Outside(f"{outside} liquidation prices are not from 1e-15 to 1e15 USD")
    if rows.known.size and rows.known.max() > snapshots.known.min():
        place = np.searchsorted(snapshots.moments, rows.moment)
        place = np.minimum(place, snapshots.moments.size - 1)
        ours = snapshots.moments[place] == rows.moment
        known = snapshots.known.copy()
        np.maximum.at(known, place[ours], rows.known[ours])
        snapshots = snapshots._replace(known=known)
    return _Cells(coin, snapshots, index, sums, marks)


def _of_sweeps(con: duckdb.DuckDBPyConnection, day: date) -> Iterator[_Cells]:
    """Bin what each sweep of the day merges to, one sweep after the other."""
    for source, scope, at, known in con.execute(SWEEPS, {"day": day}).fetchall():
        asked = {"coin": f"{scope}:", "at": at, "source": source, "scope": scope, "day": day}
        merged = con.sql(MERGED, params=asked).pl().with_columns(snapshot_ts=pl.lit(at, TIME))
        moment, published = (np.array([int(pa.scalar(one, TS).value)]) for one in (at, known))
        snapshot = _Snapshots(source, scope, moment, published)
        for (coin,), rows in merged.group_by("coin", maintain_order=True):
            yield _binned(str(coin), snapshot, _Rows.of(rows))


def _table(cells: Sequence[_Cells]) -> pa.Table:
    """Return cells as rows of the contract; words are told by number until they are written."""
    if not cells:
        return LIQUIDATION_LEVELS.schema.empty_table()
    buckets = EDGES.size - 1
    counts = [each.index.size for each in cells]
    split = [np.divmod(each.index, 2 * buckets) for each in cells]
    side, bucket = np.divmod(np.concatenate([within for _, within in split]), buckets)
    notional, weighted, size, count, top, squares = np.concatenate(
        [each.sums for each in cells]
    ).T
    by_place = [(each, place) for each, (place, _) in zip(cells, split, strict=True)]

    def told(words: Sequence[str]) -> pa.DictionaryArray:
        unique = sorted(set(words))
        codes = np.repeat([unique.index(word) for word in words], counts).astype(np.int32)
        return pa.DictionaryArray.from_arrays(codes, unique)

    def picked(name: str) -> np.ndarray:
        return np.concatenate([getattr(each.snapshots, name)[at] for each, at in by_place])

    columns = {
        "snapshot_ts": pa.array(picked("moments"), TS),
        "source": told([each.snapshots.source for each in cells]),
        "scope": told([each.snapshots.scope for each in cells]),
        "coin": told([each.coin for each in cells]),
        "side": pa.DictionaryArray.from_arrays(side.astype(np.int32), ["long", "short"]),
        "bucket": bucket + FIRST,
        "px": weighted / notional,
        "size": size,
        "notional": notional,
        "positions": count.astype(np.int64),
        "top_account_share": top / notional,
        "herfindahl": squares / (notional * notional),
        "current_px": pa.array(
            np.concatenate([each.marks[at] for each, at in by_place]), from_pandas=True
        ),
        "known_ts": pa.array(picked("known"), TS),
    }
    return pa.table(columns).select(LIQUIDATION_LEVELS.schema.names)
