"""This module measures a day of 24 large snapshots: what it takes to keep it.

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
