"""This module measures the figures that are promised, each beside a yardstick of the same run.

``make bench`` runs it and writes ``BENCHMARKS.md``.  Times are the smallest of several runs;
what counts is the ratio, for machines differ.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

import duckdb
import lz4.frame
import numpy as np
import orjson
import polars as pl
import pyarrow as pa

from pipelines.simulator.archive.write import write_archive
from pipelines.simulator.world import WorldSpec
from pipelines.steps.fills import land_node_fills
from warehouse import open_lake
from warehouse.contracts.tables import POSITIONS, SNAPSHOTS
from warehouse.heatmap import liquidation_heatmap
from warehouse.store import land

HERE = Path(__file__).parent
T0 = datetime(2025, 1, 1, 12, tzinfo=UTC)
COINS = ("BTC", "ETH", "SOL", "HYPE", *(f"C{number}" for number in range(96)))


class Figure(NamedTuple):
    """One line of the page."""

    what: str
    ours: str
    yardstick: str
    ratio: float
    reach: str


def best(run: Callable[[], object], times: int = 5) -> float:
    """Return the shortest of several runs, seconds."""
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        spent.append(time.perf_counter() - start)
    return min(spent)


def land_days(lake: Path, days: int, rows: int, seed: int = 0) -> None:
    """Land one snapshot a day of ``rows`` positions."""
    rng = np.random.default_rng(seed)
    for day in range(days):
        at = T0 + timedelta(days=day)
        size, mark = rng.normal(0, 5, rows), 100.0
        held = pl.DataFrame(
            {
                "coin": rng.choice(COINS, rows),
                "account": [f"0x{number:040x}" for number in rng.permutation(rows)],
                "size": np.where(size == 0, 1.0, size),
                "liquidation_px": mark * (1 - np.sign(size) * rng.uniform(0.01, 0.9, rows)),
            }
        ).with_columns(
            snapshot_ts=pl.lit(at, pl.Datetime("us", "UTC")),
            source=pl.lit("bench"),
            scope=pl.lit("hyperliquid"),
            mark_px=pl.lit(mark),
            notional=pl.col("size").abs() * mark,
            liquidation_px_source=pl.lit("venue"),
            known_ts=pl.lit(at, pl.Datetime("us", "UTC")),
        )
        missing = {c.name: None for c in POSITIONS.columns if c.name not in held.columns}
        batch = held.with_columns(**{name: pl.lit(None) for name in missing})
        land(lake, POSITIONS, batch.to_arrow(), f"bench-{day}")
        counts = dict.fromkeys(
            ("accounts", "positions", "px_venue", "px_computed", "px_never", "px_unknown"), rows
        )
        summary = {
            "snapshot_ts": at,
            "source": "bench",
            "scope": "hyperliquid",
            "complete": True,
            "trusted": True,
            "known_ts": at,
        } | counts
        land(lake, SNAPSHOTS, pa.Table.from_pylist([summary], SNAPSHOTS.schema), f"bench-{day}")


def maps_at_a_moment(folder: Path) -> Iterator[Figure]:
    """Measure one coin's map on a short and on a long lake."""
    spent = {}
    for days in (7, 365):
        lake = folder / f"lake-{days}"
        land_days(lake, days, 3_000)
        at = T0 + timedelta(days=days - 1, hours=5)
        with open_lake(lake) as con:
            spent[days] = best(partial(_btc_map, con, at))
    yield Figure(
        "`liquidation_map`, one coin, 365-day lake",
        f"{spent[365] * 1e3:.0f} ms",
        f"the same on a 7-day lake: {spent[7] * 1e3:.0f} ms",
        spent[365] / spent[7],
        "≤ 2, and < 100 ms",
    )


def _btc_map(con: duckdb.DuckDBPyConnection, at: datetime) -> list[tuple]:
    return con.sql("from liquidation_map('BTC', $at)", params={"at": at}).fetchall()


def maps_of_a_day(folder: Path) -> Iterator[Figure]:
    """Measure the binned maps of a large snapshot against merely reading its columns."""
    lake = folder / "wide"
    land_days(lake, 1, 300_000)
    with open_lake(lake) as con:
        files = str(lake / "positions/*/*.parquet")
        read = best(
            lambda: duckdb.sql(
                f"select sum(size), sum(liquidation_px) from '{files}'"
            ).fetchall()
        )
        columns = "coin, snapshot_ts, source, scope, size, liquidation_px"

        def bin_all() -> None:
            snapshots = con.sql("from snapshots").pl()
            positions = con.sql(f"select {columns} from positions").pl()
            for _, rows in positions.group_by("coin"):
                liquidation_heatmap(rows, snapshots)

        bin_all()
        ours = best(bin_all)
        size = sum(file.stat().st_size for file in lake.glob("positions/*/*.parquet"))
    yield Figure(
        "all maps of a snapshot of 300,000 positions, 100 coins",
        f"{ours * 1e3:.0f} ms",
        f"DuckDB reads and sums the two columns: {read * 1e3:.0f} ms",
        ours / read,
        "≤ 2",
    )
    yield Figure(
        "bytes of a position row (random numbers, which do not compress)",
        f"{size / 300_000:.0f}",
        "24 bytes",
        size / 300_000 / 24,
        "≤ 1",
    )


def node_fills(folder: Path) -> Iterator[Figure]:
    """Measure the landing of fills against merely parsing them."""
    archive = folder / "archive"
    spec = WorldSpec(coins=8, accounts=100)
    write_archive(spec, 2, archive, books=False, contexts=False, market=False)
    source = b"".join(
        lz4.frame.decompress(file.read_bytes())
        for file in sorted(archive.glob("*/node_fills_by_block/hourly/*/*.lz4"))
    ).splitlines()
    hours = folder / "hours"
    for hour in range(3):
        file = hours / f"node_fills_by_block/hourly/20260105/{hour}.lz4"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(lz4.frame.compress(b"\n".join(_many(source, hour, 25))))
    lines = [
        lz4.frame.decompress(file.read_bytes()).splitlines()
        for file in sorted(hours.rglob("*.lz4"))
    ]
    fills = sum(len(orjson.loads(line)["events"]) for body in lines for line in body)
    parse = best(lambda: [[orjson.loads(line) for line in body] for body in lines], 3)
    ours = best(lambda: land_node_fills(str(hours), folder / "fills"), 3)
    yield Figure(
        f"node fills to sorted Parquet, {fills:,} fills",
        f"{ours / fills * 1e6:.1f} µs a fill",
        f"orjson merely parses them: {parse / fills * 1e6:.1f} µs a fill",
        ours / parse,
        "≤ 2",
    )


def _many(lines: list[bytes], hour: int, copies: int) -> Iterator[bytes]:
    """Yield the lines several times over, moved into one hour and with ids of their own."""
    start = int(datetime(2026, 1, 5, hour, tzinfo=UTC).timestamp() * 1000)
    tid = 0
    for _ in range(copies):
        for line in lines:
            block = json.loads(line)
            for _, fill in block["events"]:
                tid += 1
                fill["tid"], fill["time"] = tid, start + tid % 3_600_000
            yield orjson.dumps(block)


# Each world in a process of its own, so that its peak of memory is its own.
WORLD = """
import resource, time
import numpy as np
from pipelines.simulator.shocks import Shock
from pipelines.simulator.statement import positions_of
from pipelines.simulator.world import Simulation, WorldSpec
spec = WorldSpec(coins={coins}, accounts={accounts})
shocks = tuple(Shock(spec.start_ms + day * 86_400_000, -10.0) for day in (5, 12, 20))
Simulation(spec._replace(accounts=20)).run(1)  # kernels are compiled
start = time.perf_counter()
sim = Simulation(spec._replace(shocks=shocks))
trades = forced = 0
for _ in range({days}):
    told = sim.run(1440)
    trades, forced = trades + told.trades.size, forced + told.liquidations.size
held = positions_of(sim, sim.moment())
ours = time.perf_counter() - start
size, mark = held["size"].to_numpy(), held["mark_px"].unique().to_numpy()
coin = held["coin"].to_numpy() % mark.size
start = time.perf_counter()
for _ in range({days} * 1440 or 1440):
    (size * mark[coin]).sum()
bare = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(ours, bare, peak, held.height, trades, forced)
"""


def worlds(_: Path) -> Iterator[Figure]:
    """Measure the simulated venue against merely valuing its positions at each step."""
    ours, bare, peak, _, trades, forced = _world(coins=20, accounts=2_000, days=30)
    yield Figure(
        f"simulated venue, 30 days × 20 coins × 2,000 accounts by the minute: {trades:,.0f} "
        f"trades, {forced:,.0f} liquidations, {peak:.2f} GiB",
        f"{ours:.1f} s",
        f"numpy merely values all positions each minute: {bare:.1f} s",
        ours / bare,
        "< 60 s, < 2 GiB",
    )
    ours, bare, peak, held, _, _ = _world(coins=200, accounts=132_000, days=0)
    yield Figure(
        f"one state of {held:,.0f} positions over 132,000 accounts and 200 coins, with "
        f"liquidation prices, {peak:.2f} GiB",
        f"{ours:.1f} s",
        f"numpy merely values all positions 1,440 times: {bare:.1f} s",
        ours / bare,
        "< 10 s, < 2 GiB",
    )


def _world(**numbers: int) -> list[float]:
    done = subprocess.run(
        [sys.executable, "-c", WORLD.format(**numbers)],
        capture_output=True,
        text=True,
        check=True,
        cwd=HERE.parent,
    )
    return [float(word) for word in done.stdout.split()]


def main() -> None:
    """Measure everything and write the page."""
    folder = Path(tempfile.mkdtemp(prefix="undertow-bench-"))
    try:
        figures = [
            figure
            for measure in (maps_at_a_moment, maps_of_a_day, node_fills, worlds)
            for figure in measure(folder)
        ]
    finally:
        shutil.rmtree(folder)
    rows = "\n".join(
        f"| {one.what} | {one.ours} | {one.yardstick} | {one.ratio:.2f} | {one.reach} |"
        for one in figures
    )
    page = HERE.parent / "BENCHMARKS.md"
    page.write_text(
        "# Benchmarks\n\nWritten by `make bench`; each figure stands beside a yardstick of the "
        "same run, on two cores.\nThe ratio is what counts; *reach* is what it is meant to "
        "be.\n\n"
        f"| what | ours | yardstick | ratio | reach |\n|---|---|---|---|---|\n{rows}\n"
    )
    sys.stdout.write(page.read_text())


if __name__ == "__main__":
    main()
