"""This module makes the demonstration's world: 14 days of January 2026, and three cascades."""

from datetime import date
from pathlib import Path

from pipelines.simulator.archive.write import Progress, Written, write_archive
from pipelines.simulator.shocks import parse_shock
from pipelines.simulator.world import WorldSpec

DAYS = 14
SHOCKS = ("2026-01-09T21:00Z=-9%", "2026-01-12T15:00Z=+5.5%", "2026-01-15T02:00Z=-13%/5m")
# As in the real archives an hour of fills and a position snapshot are not there.
FAULTS = ("missing-hours", "missing-snapshots")
DEMO = WorldSpec(
    seed=7,
    start=date(2026, 1, 5),
    coins=20,
    accounts=1_200,
    shocks=tuple(parse_shock(text) for text in SHOCKS),
)


def write_demo_archive(folder: Path, progress: Progress | None = None) -> Written:
    """Write what the demonstration reads: all but order books, with four snapshots a day."""
    return write_archive(
        DEMO,
        DAYS,
        folder,
        snapshot_every=6,
        books=False,
        faults=FAULTS,
        progress=progress,
    )
