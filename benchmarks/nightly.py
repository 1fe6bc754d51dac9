"""This module measures a whole night over a large venue: time, and the most memory it takes.

A simulated venue of 132,000 accounts and 200 coins writes a day of archives: fills by the hour,
one snapshot of 300,000 positions, contexts by the minute, candles, funding and books.  The
nightly job lands it all, checks it, compacts it and looks at its health, as it does each night.
"""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Figure, apart

# The world is written in a process of its own, so that the peak is that of the night.
WRITE = """
from pathlib import Path
from pipelines.simulator.archive.write import write_archive
from pipelines.simulator.world import WorldSpec
write_archive(WorldSpec(coins=200, accounts=132_000), 1, {root!r}, snapshot_every=24)
"""
LAND = """
import hashlib, resource, time
from datetime import UTC, datetime
from pathlib import Path
from pipelines.jobs.job import job_of, run_plainly
from pipelines.jobs.watched import Watch
from pipelines.settings import settings_of
from warehouse import open_lake
SOURCES = ("market_files", "asset_ctxs", "reservoir", "node_fills_by_block", "l2_books")
def bare():
    start = time.perf_counter()
    for file in Path({root!r}).rglob("*"):
        if file.is_file():
            hashlib.sha256(file.read_bytes())
    return time.perf_counter() - start
yardstick = min(bare() for _ in range(2))
roots = dict.fromkeys(SOURCES, {root!r})
settings = settings_of({{"lake": {lake!r}, "roots": roots, "run": {{"grace": 0}}}})
start = time.perf_counter()
with Watch("nightly", settings) as watch:
    due = datetime(2026, 1, 6, 2, 30, tzinfo=UTC)
    job = job_of("nightly", settings, {{"day": "2026-01-05"}}, due)
    done = run_plainly(job, {progress})
    watch.close(job.name, job.units, done)
ours = time.perf_counter() - start
assert done.failed == {{}}, done.failed
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
with open_lake({lake!r}) as con:
    for table in ("positions", "fills", "asset_contexts", "candles"):
        print(con.sql(f"select count(*) from {{table}}").fetchall()[0][0])
print(ours, yardstick, peak)
"""


def night(folder: Path) -> Iterator[Figure]:
    """Measure the nightly job against merely reading and hashing the files it reads."""
    root, lake = str(folder / "venue"), str(folder / "night")
    apart(WRITE.format(root=root))
    landed = apart(LAND.format(root=root, lake=lake, progress=None))
    positions, fills, contexts, candles, ours, bare, peak = landed
    yield Figure(
        f"a whole night: {positions:,.0f} positions, {fills:,.0f} fills, {contexts:,.0f} "
        f"contexts, {candles:,.0f} candles and books landed, checked and compacted, "
        f"{peak:.2f} GiB",
        f"{ours:.1f} s",
        f"Python reads and hashes the same files: {bare:.1f} s",
        ours / bare,
        "< 2 GiB",
    )
