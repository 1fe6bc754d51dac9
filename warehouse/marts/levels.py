"""This module makes the levels of a span of a day: the map of every snapshot and coin, binned.

Of complete snapshots the rows are read once, all coins and hours together, and binned by
:mod:`warehouse.kernels.levels`.  A sweep merges account by account, so its positions are those
that the macro ``dex_positions_at`` says.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from os import cpu_count
from queue import SimpleQueue
from typing import Any, NamedTuple

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa

from warehouse.contracts.liquidation_levels import LIQUIDATION_LEVELS
from warehouse.contracts.table import TS
from warehouse.marts.binned import Cells, Scratch, Sheet, Snapshots, binned, sheet_of
from warehouse.marts.position_runs import PositionFile, Reader, Run, by_coin
from warehouse.store.lake import Lake

TIMES = ("snapshot_ts", "known_ts")
Key = tuple[str, str, str]

COMPLETE = """
select source, scope, snapshot_ts, max(known_ts) as known_ts
from snapshots
where day = $day and snapshot_ts >= $since and snapshot_ts < $until and complete and trusted
group by all
"""
SWEEPS = """
select source, scope, snapshot_ts, known_ts from snapshots
where day = $day and snapshot_ts >= $since and snapshot_ts < $until
    and not complete and trusted and accounts_asked > coalesce(accounts_failed, 0)
order by all
"""
# Dexes that a sweep of all of them may tell of.
DEXES = """
select distinct if(contains(p.coin, ':'), split_part(p.coin, ':', 1), 'hyperliquid') as dex
from positions as p where p.day between $day - 2 and $day order by dex
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
    p.coin, $at as snapshot_ts, p.size, p.liquidation_px, p.current_px as mark_px,
    greatest(p.known_ts, c.known_ts, (select max(s.known_ts) from states as s)) as known_ts
from held as p
left join context as c on p.coin = c.coin
where exists (
    from snapshot_at($coin, $at) as a
    where a.snapshot_ts = $at and a.source = $source and a.scope = $scope
)
order by p.coin
"""


class Levels(NamedTuple):
    """What a day was made to.

    Attributes
    ----------
    rows
        Of ``liquidation_levels``.
    left
        Coins left out, one sentence each: maps of them are made from the rows.
    """

    rows: pa.Table
    left: list[str]


def levels_between(
    con: duckdb.DuckDBPyConnection,
    lake: Lake,
    paths: Sequence[str],
    since: datetime,
    until: datetime,
) -> Levels:
    """Return the levels of every snapshot of a day's ``[since, until)``.

    A coin with a price below 1e-15 or above 1e15 USD is left out, with all its snapshots that
    are binned together: a map without that position would be wrong.

    Parameters
    ----------
    con
        The lake, opened.
    lake
        Where the files lie.
    paths
        Files of ``positions`` of the day that count now.
    since, until
        UTC; of one day.
    """
    day = since.date()
    complete = con.sql(COMPLETE, params=_span(since, until)).pl()
    sheets = [*_of_complete(lake, paths, complete), sheet_of(_of_sweeps(con, since, until))]
    odd: Counter[str] = sum((sheet.outside for sheet in sheets), Counter())
    left = [
        f"{day}: {count} liquidation prices of {coin} are not from 1e-15 to 1e15 USD; maps of "
        "it are made from the rows"
        for coin, count in sorted(odd.items())
    ]
    told = [sheet.rows for sheet in sheets if sheet.rows.num_rows]
    return Levels(
        pa.concat_tables(told) if told else LIQUIDATION_LEVELS.schema.empty_table(), left
    )


def _of_complete(lake: Lake, paths: Sequence[str], complete: pl.DataFrame) -> list[Sheet]:
    """Bin the rows of complete snapshots, every coin and moment in one pass."""
    wanted = {
        key: Snapshots(*key, *(rows[name].to_physical().to_numpy() for name in TIMES))
        for key, rows in complete.sort(TIMES[0]).group_by(
            "source", "scope", maintain_order=True
        )
    }
    files = [PositionFile(lake, path, complete["known_ts"].min()) for path in paths if wanted]
    many = cpu_count() or 1
    runs: dict[Key, list[Run]] = defaultdict(list)
    shares = [(file, groups) for file in files for groups in file.shares(many)]
    with ThreadPoolExecutor(many) as threads:
        for some in threads.map(lambda share: list(share[0].runs(share[1])), shares):
            for run in some:
                if run.key[:2] in wanted:
                    runs[run.key].append(run)
    rows = {key: sum(run.rows for run in some) for key, some in runs.items()}
    # What the cells of a coin lie in is large, and as good for the next.
    free: dict[tuple, SimpleQueue] = {key: SimpleQueue() for key in wanted}

    def sheet(keys: Sequence[Key]) -> Sheet:
        reader, made = Reader(), []
        for key in keys:
            snapshots, unused = wanted[key[:2]], free[key[:2]]
            scratch = Scratch(snapshots) if unused.empty() else unused.get()
            pieces = partial(reader.pieces, runs[key])
            made.append(binned(key[2], snapshots, pieces, rows[key], scratch))
            unused.put(scratch)
        return sheet_of(made)

    edges = sum(file.rows_per_group for file in files)
    with ThreadPoolExecutor(many) as threads:
        return list(threads.map(sheet, _shares(rows, many, edges)))


def _shares(rows: dict[Key, int], threads: int, edges: int) -> list[list[Key]]:
    """Return neighbours together, for each thread to take the next of.

    The first are large and the last are small, so that no thread is alone at the end.  A share
    reads the row groups at its ends, ``edges`` rows, once more: at most an eighth of its own.
    """
    shares: list[tuple[int, list[Key]]] = []
    left, enough = sum(rows.values()), 0
    for key, many in rows.items():
        if not shares or shares[-1][0] >= enough:
            enough = max(left // (2 * threads), 8 * edges)
            shares.append((0, []))
        held, keys = shares[-1]
        shares[-1] = held + many, [*keys, key]
        left -= many
    return [keys for _, keys in sorted(shares, key=lambda share: -share[0])]


def sweeps_of(con: duckdb.DuckDBPyConnection, since: datetime, until: datetime) -> list[tuple]:
    """Return source, scope, moment and ``known_ts`` of the sweeps of a span that answer."""
    return con.execute(SWEEPS, _span(since, until)).fetchall()


def _span(since: datetime, until: datetime) -> dict[str, Any]:
    return {"day": since.date(), "since": since, "until": until}


def _of_sweeps(
    con: duckdb.DuckDBPyConnection, since: datetime, until: datetime
) -> Iterator[Cells]:
    """Bin what each sweep of a span merges to, one sweep after the other."""
    day = since.date()
    for source, scope, at, known in sweeps_of(con, since, until):
        asked = {"at": at, "source": source, "scope": scope, "day": day}
        moment, published = (np.array([int(pa.scalar(one, TS).value)]) for one in (at, known))
        snapshots = Snapshots(source, scope, moment, published)
        scratch = Scratch(snapshots)
        every = con.execute(DEXES, {"day": day}).fetchall() if scope == "all" else [(scope,)]
        for (dex,) in every:
            merged = con.sql(MERGED, params=asked | {"coin": f"{dex}:"}).to_arrow_table()
            for coin, piece in by_coin(merged):
                pieces = partial(list, (piece,))
                yield binned(coin, snapshots, pieces, piece.px.size, scratch)
