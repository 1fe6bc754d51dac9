"""This module measures a day of 24 large snapshots: what it takes to keep it and to map it.

The positions are those of a simulated venue of 132,000 accounts and 200 coins, hour by hour.
"""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Figure, apart

WRITE = """
from datetime import UTC, datetime
from pathlib import Path
import pyarrow.parquet as pq
from pipelines.simulator.archive.snapshot_files import position_rows
from pipelines.simulator.statement import positions_of
from pipelines.simulator.world import Simulation, WorldSpec
sim = Simulation(WorldSpec(coins=200, accounts=132_000))
rows = 0
for hour in range(24):
    moment = sim.moment()
    held = position_rows(sim, positions_of(sim, moment), moment.ms + 100)
    day = datetime.fromtimestamp(moment.ms / 1000, UTC).date()
    file = Path({root!r}, f"by_dex/hyperliquid/snapshots/perp/date={{day}}")
    file.mkdir(parents=True, exist_ok=True)
    pq.write_table(held, file / f"{{hour}}_{{moment.ms + 100}}.parquet", compression="zstd")
    rows += held.num_rows
    sim.run(60)
print(rows)
"""
KEEP = """
import resource, time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from pipelines.steps.positions import land_reservoir
from warehouse.store.compaction import compact
def size():
    return sum(f.stat().st_size for f in Path({lake!r}).glob("positions/*/*.parquet"))
start = time.perf_counter()
land_reservoir({root!r}, {lake!r})
landed, before = time.perf_counter() - start, size()
start = time.perf_counter()
compact({lake!r}, datetime(2030, 1, 1, tzinfo=UTC), grace=timedelta(0))
compacted = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(landed, compacted, before, size(), peak)
"""

MAP = """
import glob, time
from datetime import date
import duckdb, pandas as pd, numpy as np
from warehouse import open_lake
from warehouse.marts.levels import levels_between
from warehouse.marts.made_of import files_by_day, moment_of
from warehouse.marts.refresh import refresh
from warehouse.store import Lake, parts_of
def best(run, times=3):
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        spent.append(time.perf_counter() - start)
    return min(spent)
lake = Lake.at({lake!r})
[(day, paths)] = [
    (day, sorted(file.path for file in files if file.table == "positions"))
    for day, files in files_by_day(parts_of(lake)).items()
]
span = moment_of(day, 0), moment_of(day, 86_400_000_000)
[file] = [str(lake.place(path)) for path in paths]
con = duckdb.connect()
con.execute("set enable_progress_bar = false")
read = lambda: con.sql(
    f"select max(coin), max(snapshot_ts), sum(size), sum(liquidation_px), sum(mark_px) "
    f"from '{{file}}'"
).fetchall()
sql = best(lambda: con.sql(
    f"create or replace temp table t as select coin, snapshot_ts, size > 0 as long, "
    f"floor(ln(liquidation_px) / ln(1.005))::bigint as bucket, "
    f"sum(abs(size) * liquidation_px) as notional, sum(abs(size)) as size, count(*) as n, "
    f"sum(abs(size) * liquidation_px * liquidation_px) as weighted, "
    f"max(abs(size) * liquidation_px) as top, "
    f"sum(pow(abs(size) * liquidation_px, 2)) as squares "
    f"from '{{file}}' where liquidation_px is not null group by all"
), 1)
def script():
    held = pd.read_parquet(
        file, columns=["coin", "snapshot_ts", "size", "liquidation_px"], partitioning=None
    ).dropna(subset=["liquidation_px"])
    held["bucket"] = np.floor(np.log(held.liquidation_px) / np.log(1.005)).astype(int)
    held["long"] = held["size"] > 0
    held["coins"] = held["size"].abs()
    held["notional"] = held.coins * held.liquidation_px
    held["weighted"] = held.notional * held.liquidation_px
    held["squares"] = held.notional**2
    by = held.groupby(["coin", "snapshot_ts", "long", "bucket"], observed=True)
    by.agg({{
        "notional": ["sum", "max", "size"], "coins": "sum", "weighted": "sum", "squares": "sum"
    }})
pandas = best(script, 1)
with open_lake(lake) as opened:
    run = lambda: levels_between(opened, lake, paths, *span)
    run()
    # In turns, so that a load on the machine falls on both.
    bare, ours = map(min, zip(*[(best(read, 1), best(run, 1)) for _ in range(9)]))
    rows = run().rows.num_rows
start = time.perf_counter()
refresh(lake)
kept = time.perf_counter() - start
with open_lake(lake) as con:
    [(at,)] = con.sql("select max(snapshot_ts) from snapshots").fetchall()
    ask = lambda: con.execute("from liquidation_map('BTC', $at)", {{"at": at}}).fetchall()
    ask()
    levels = best(ask, 7)
    con.execute("delete from promised.levels_days")
    ask()
    raw = best(ask, 5)
print(ours, bare, sql, pandas, kept, levels, raw, rows)
"""


def day(folder: Path) -> Iterator[Figure]:
    """Measure the landing and the compaction of a day, and the bytes that it takes."""
    root, lake = str(folder / "hours"), str(folder / "day")
    [rows] = apart(WRITE.format(root=root))
    landed, compacted, before, after, peak = apart(KEEP.format(root=root, lake=lake))
    yield Figure(
        f"bytes of a position row, a day of 24 snapshots, {rows:,.0f} rows, compacted "
        f"({before / rows:.1f} before)",
        f"{after / rows:.1f}",
        "24 bytes",
        after / rows / 24,
        "≤ 1",
    )
    yield Figure(
        f"that day compacted, {peak:.2f} GiB",
        f"{compacted:.1f} s",
        f"landing it: {landed:.1f} s",
        compacted / landed,
        "< 2 GiB",
    )
    ours, bare, sql, pandas, kept, levels, raw, cells = apart(MAP.format(lake=lake))
    what = f"all maps of that day rebuilt, {cells:,.0f} buckets"
    yield Figure(
        what,
        f"{ours:.2f} s",
        f"DuckDB reads and sums the columns: {bare:.2f} s",
        ours / bare,
        "≤ 2",
    )
    yield Figure(what, f"{ours:.2f} s", f"one DuckDB query: {sql:.2f} s", ours / sql, "< 1")
    yield Figure(
        what, f"{ours:.2f} s", f"a pandas script: {pandas:.1f} s", ours / pandas, "< 1"
    )
    yield Figure(
        "the same, landed in the lake",
        f"{kept:.1f} s",
        f"rebuilt: {ours:.2f} s",
        kept / ours,
        "–",
    )
    yield Figure(
        "`liquidation_map`, one coin of that day, binned ahead",
        f"{levels * 1000:.0f} ms",
        f"from the rows: {raw * 1000:.0f} ms",
        levels / raw,
        "< 100 ms",
    )
