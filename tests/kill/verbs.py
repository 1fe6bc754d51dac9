"""What is killed: verbs that write to a lake, of a lake and what else was asked for."""

from datetime import timedelta
from functools import partial
from pathlib import Path

import pipelines.steps.fills as fills
import pipelines.steps.market as market
import pipelines.steps.positions as positions
from pipelines.jobs.job import job_of, run_plainly
from pipelines.settings import settings_of
from pipelines.sources.info.budget import Budget
from pipelines.sources.info.client import InfoClient
from pipelines.steps import sweep_asking, sweep_now, sweep_way
from pipelines.steps.sweep import sweep
from pipelines.steps.tail import tail
from tests.kill.clocks import MINUTE, Frozen, ticking
from tests.rows import T0, batch, position, snapshot
from warehouse.contracts.tables import POSITIONS, SNAPSHOTS
from warehouse.store import Lake, Origin, land, landing
from warehouse.store.compaction import compact

ORIGINS = [Origin("file", 1, "1")]
NONE = timedelta(0)


def land_hours(lake, hours, size):
    """Land snapshots of hours as one batch of parts in two tables."""
    with landing(lake) as batches:
        for hour in hours:
            at = T0 + timedelta(hours=hour)
            rows = [position(holder=n, size=size, snapshot_ts=at) for n in range(1, 4)]
            batches.land(POSITIONS, batch(POSITIONS, rows), f"test-{hour}", ORIGINS)
            summary = [snapshot(at, rows, px_unknown=int(size))]
            batches.land(SNAPSHOTS, batch(SNAPSHOTS, summary), f"test-{hour}", ORIGINS)


def clumsy(lake):
    """Land as nobody should: table after table, and nothing where there is something."""
    if Lake.at(lake).sizes("positions"):
        return
    rows = [position(holder=n, snapshot_ts=T0) for n in range(1, 4)]
    land(lake, POSITIONS, batch(POSITIONS, rows), "test", ORIGINS)
    land(lake, SNAPSHOTS, batch(SNAPSHOTS, [snapshot(T0, rows)]), "test", ORIGINS)


def ingest(lake, archive):
    market.land_market(archive, lake)
    positions.land_reservoir(archive, lake)
    fills.land_hourly_fills(archive, lake)


def unbounded(*_):
    """Return a budget that never waits: the venue of these tests refuses nobody."""
    return Budget(10**9, 0.0)


def slices(lake, url, accounts):
    """Sweep in slices of a few questions: each look at the clock is a minute later."""
    sweep_asking.AT_ONCE, sweep_way.TOGETHER = 1, 3  # one order of questions, and many of them
    clock = ticking(Frozen.now(), MINUTE)
    sweep(partial(InfoClient, url, unbounded()), lake, accounts, source="simulated", now=clock)


def whole_sweep(lake, url):
    """Find accounts, on the leaderboard, in trades and by listening; then sweep them."""
    sweep_now.budget_for = unbounded
    sweep_now.sweep_now(lake, url, f"{url}/leaderboard", simulated=True, listen=0.3)


def nightly(lake, archive, url, day):
    """Do all that a night does: archives, a sweep, what the venue says of the day, upkeep."""
    import pipelines.jobs.venue as venue_units

    sweep_now.budget_for = venue_units.budget_for = unbounded
    sources = ("market_files", "asset_ctxs", "reservoir", "node_fills_by_block")
    venue = {"url": url, "leaderboard": f"{url}/leaderboard", "listen_seconds": 0}
    settings = settings_of(
        {
            "lake": lake,
            "roots": dict.fromkeys(sources, archive),
            # Else archive and venue would tell of the same rows under one name.
            "venue": venue | {"simulated": False},
            "run": {"grace": 0, "catch_up_days": 0},
        }
    )
    run_plainly(job_of("nightly", settings, {"day": day}, Frozen.now())).check("nightly")


def follow(lake, node, script):
    """Follow an own node that writes the next of ``script`` between two looks.

    What it has written it does not write again: it lives on when who follows it is killed, so
    it writes by no step at which the follower may be.
    """
    waiting = [(Path(node, path), *span, text) for path, *span, text in script]
    seen = 0

    def clock():
        return Frozen.now() + seen * MINUTE

    def sleep(_):
        nonlocal seen
        seen += 1
        while waiting:
            file, start, end, text = waiting.pop(0)
            file.parent.mkdir(parents=True, exist_ok=True)
            written = file.stat().st_size if file.exists() else 0
            if written < end:
                with open(file, "ab") as node:
                    node.write(text.encode()[written - start :])
                return

    tail(node, lake, clock, sleep, until=Frozen.now() + len(script) * MINUTE)


VERBS = {
    "market": lambda lake, archive: market.land_market(archive, lake),
    "positions": lambda lake, archive: positions.land_reservoir(archive, lake),
    "ingest": ingest,
    "hours": lambda lake: land_hours(lake, range(3), 1.0),
    "clumsy": clumsy,
    "replace": lambda lake: land_hours(lake, range(1, 3), 2.0),
    "compact": lambda lake: compact(lake, Frozen.now(), grace=NONE, orphan_age=NONE),
    "slices": slices,
    "sweep": whole_sweep,
    "nightly": nightly,
    "follow": follow,
}
