"""This module makes a small lake of a simulated venue in seconds, offline: for notebooks."""

from collections.abc import Sequence
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


def small_lake(
    folder: str | Path,
    books: bool = False,
    start: date = START,
    days: int = DAYS,
    shocks: Sequence[str] = SHOCKS,
    accounts: int = 500,
) -> str:
    """Let a small world run for a few days, and land what it left.

    Parameters
    ----------
    folder
        Where its archives go, and the lake.
    books
        Whether order books of BTC are landed too, one a minute; they take as long as the rest.
    start, days
        Its first day, and how many there are.
    shocks
        Moves of the whole market, as :func:`pipelines.simulator.shocks.parse_shock` reads them.
    accounts
        How many trade.

    Returns
    -------
    str
        The lake: 6 coins, a snapshot each hour, every hour of fills, contexts each minute,
        hourly bars and funding.  All of its rows say ``simulated``.
    """
    root, lake = str(Path(folder, "archive")), str(Path(folder, "lake"))
    plan = tuple(parse_shock(text) for text in shocks)
    spec = WorldSpec(seed=7, start=start, coins=6, accounts=accounts, shocks=plan)
    write_archive(spec, days, root, snapshot_every=1, books=books)
    land_market(root, lake, start, start + timedelta(days=days), source=SOURCE)
    land_contexts(root, lake)
    if books:
        land_books(root, lake, coins=["BTC"])
    land_reservoir(root, lake, source=SOURCE)
    land_hourly_fills(root, lake, label=SOURCE)
    return lake
