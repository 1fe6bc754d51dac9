"""This module makes a small lake of a simulated venue in seconds, offline: for notebooks."""

from datetime import date, timedelta
from pathlib import Path

from pipelines.simulator.archive.write import write_archive
from pipelines.simulator.shocks import parse_shock
from pipelines.simulator.world import WorldSpec
from pipelines.steps.books import land_books
from pipelines.steps.contexts import land_contexts
from pipelines.steps.fills import land_hourly_fills
from pipelines.steps.market import land_market
from pipelines.steps.positions import land_reservoir

SOURCE = "simulated"
START, DAYS = date(2026, 1, 5), 4
# A fall and a rise, so that something is liquidated on both sides.
SHOCKS = ("2026-01-07T14:00Z=-9%", "2026-01-08T15:00Z=+6%")


def small_lake(folder: str | Path, books: bool = False) -> str:
    """Let a small world run for four days of January 2026, and land what it left.

    Parameters
    ----------
    folder
        Where its archives go, and the lake.
    books
        Whether order books of BTC are landed too, one a minute; they take as long as the rest.

    Returns
    -------
    str
        The lake: 6 coins, 500 accounts, a snapshot each hour, every hour of fills, contexts
        each minute, hourly bars and funding.  All of its rows say ``simulated``.
    """
    root, lake = str(Path(folder, "archive")), str(Path(folder, "lake"))
    shocks = tuple(parse_shock(text) for text in SHOCKS)
    spec = WorldSpec(seed=7, start=START, coins=6, accounts=500, shocks=shocks)
    write_archive(spec, DAYS, root, snapshot_every=1, books=books)
    land_market(root, lake, START, START + timedelta(days=DAYS), source=SOURCE)
    land_contexts(root, lake)
    if books:
        land_books(root, lake, coins=["BTC"])
    land_reservoir(root, lake, source=SOURCE)
    land_hourly_fills(root, lake, label=SOURCE)
    return lake
