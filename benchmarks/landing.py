"""This module measures the landing of a large snapshot: time, memory.

The positions are those of a simulated venue of 132,000 accounts and 200 coins: what they hold,
at which prices, is as uneven as in the archives, which random numbers are not.
"""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Figure, apart

# The file is written in a process of its own, so that the peak is that of landing it.
WRITE = """
from pathlib import Path
import pyarrow.parquet as pq
from pipelines.simulator.archive.snapshot_files import position_rows
from pipelines.simulator.statement import positions_of
from pipelines.simulator.world import Simulation, WorldSpec
sim = Simulation(WorldSpec(coins=200, accounts=132_000))
moment = sim.moment()
rows = position_rows(sim, positions_of(sim, moment), moment.ms + 100)
file = Path({root!r}, "by_dex/hyperliquid/snapshots/perp/date=2026-01-05")
file.mkdir(parents=True)
pq.write_table(rows, file / f"1_{{moment.ms + 100}}.parquet", compression="zstd")
print(rows.num_rows)
"""
LAND = """
import resource, tempfile, time
from pathlib import Path
import pyarrow.parquet as pq
from pipelines.steps.positions import land_reservoir
[file] = Path({root!r}).rglob("*.parquet")
def bare():
    start = time.perf_counter()
    pq.write_table(pq.read_table(file), {root!r} + "/../copy.parquet", compression="zstd")
    return time.perf_counter() - start
def whole(lake):
    start = time.perf_counter()
    land_reservoir({root!r}, lake)
    return time.perf_counter() - start
yardstick = min(bare() for _ in range(3))
with tempfile.TemporaryDirectory() as first:
    whole(first)  # kernels are compiled
with tempfile.TemporaryDirectory() as lake:
    ours = whole(lake)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(ours, yardstick, peak)
"""


def snapshot(folder: Path) -> Iterator[Figure]:
    """Measure the landing of one snapshot against merely copying its file."""
    root = str(folder / "reservoir")
    [rows] = apart(WRITE.format(root=root))
    ours, bare, peak = apart(LAND.format(root=root))
    yield Figure(
        f"a snapshot of {rows:,.0f} positions landed, margin and checks included, "
        f"{peak:.2f} GiB",
        f"{ours:.2f} s",
        f"pyarrow reads and writes the same file: {bare:.2f} s",
        ours / bare,
        "< 3 s, < 2 GiB",
    )
