"""This module writes a demonstration world in the layouts of the archives."""

from datetime import date
from pathlib import Path

import numpy as np

from pipelines.demo_rows.fill_files import write_fills
from pipelines.demo_rows.market_files import write_market
from pipelines.demo_rows.snapshot_files import write_snapshots
from pipelines.demo_rows.world import ACCOUNTS, run

SEED, DAYS, START = 7, 14, date(2026, 1, 5)


def write_demo_rows(
    folder: Path, seed: int = SEED, days: int = DAYS, start: date = START
) -> None:
    """Write position snapshots, fills and market files of a made-up venue.

    Parameters
    ----------
    folder
        Where to; the archives' own paths begin in it.  Made if it is not there.
    seed
        The same seed gives the same bytes.
    days
        How long the world lasts.
    start
        Its first UTC day.

    Notes
    -----
    Some things are missing on purpose, as they are in the archives: one hour of fills, one
    snapshot, and a few liquidation prices of positions that have one.
    """
    if days < 1:
        raise ValueError(f"days {days}: a world lasts one day or more")
    of_world, of_names, of_files = np.random.default_rng(seed).spawn(3)
    history = run(of_world, days, start)
    names = [f"0x{of_names.bytes(20).hex()}" for _ in range(ACCOUNTS + 1)]
    folder.mkdir(parents=True, exist_ok=True)
    write_snapshots(folder, history, names, of_files)
    write_fills(folder, history, names, of_files)
    write_market(folder, history)
