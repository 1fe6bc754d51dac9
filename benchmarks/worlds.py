"""This module measures the simulated venue."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.figure import Figure, apart

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
    ours, bare, peak, _, trades, forced = apart(WORLD.format(coins=20, accounts=2_000, days=30))
    yield Figure(
        f"simulated venue, 30 days × 20 coins × 2,000 accounts by the minute: {trades:,.0f} "
        f"trades, {forced:,.0f} liquidations, {peak:.2f} GiB",
        f"{ours:.1f} s",
        f"numpy merely values all positions each minute: {bare:.1f} s",
        ours / bare,
        "< 60 s, < 2 GiB",
    )
    ours, bare, peak, held, _, _ = apart(WORLD.format(coins=200, accounts=132_000, days=0))
    yield Figure(
        f"one state of {held:,.0f} positions over 132,000 accounts and 200 coins, with "
        f"liquidation prices, {peak:.2f} GiB",
        f"{ours:.1f} s",
        f"numpy merely values all positions 1,440 times: {bare:.1f} s",
        ours / bare,
        "< 10 s, < 2 GiB",
    )
