"""This module writes position snapshots as Hydromancer's Reservoir lays them out."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.demo_rows.prices import COINS
from pipelines.demo_rows.trading import BLOCK
from pipelines.demo_rows.world import History, Snapshot

FOLDER = "by_dex/hyperliquid/snapshots/perp"
MISSING = 0.8  # which snapshot was not taken, as a fraction of all
UNTOLD = 0.02  # share of cross positions whose liquidation price is left out

SCHEMA = pa.schema(
    [
        ("user", pa.string()),
        ("market", pa.string()),
        ("size", pa.float64()),
        ("notional", pa.float64()),
        ("entry_price", pa.float64()),
        ("liquidation_price", pa.float64()),
        ("leverage_type", pa.string()),
        ("leverage", pa.uint32()),
        ("funding_pnl", pa.float64()),
        ("account_value", pa.float64()),
        ("account_mode", pa.string()),
    ]
)


def write_snapshots(
    folder: Path, history: History, names: list[str], rng: np.random.Generator
) -> None:
    """Write one file a snapshot, but for the one that is missing."""
    missing = int(MISSING * len(history.snapshots))
    for number, snapshot in enumerate(history.snapshots):
        rows = snapshot_rows(snapshot, names, rng)
        if number == missing:
            continue
        day = datetime.fromtimestamp(snapshot.ms / 1000, UTC).date()
        path = folder / FOLDER / f"date={day}" / f"{snapshot.ms // BLOCK}_{snapshot.ms}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(rows, path, compression="zstd")


def snapshot_rows(snapshot: Snapshot, names: list[str], rng: np.random.Generator) -> pa.Table:
    """Return a snapshot's positions, by market and user.

    A few prices are left out that exist, of accounts whose positions are all cross: there the
    account value and the positions are enough to work them out.
    """
    account, coin = np.nonzero(snapshot.size)
    order = np.lexsort((np.array(names)[account], coin))
    account, coin = account[order], coin[order]
    size = snapshot.size[account, coin]
    px = snapshot.liquidation_px[account, coin]
    all_cross = np.logical_not(snapshot.isolated.any(axis=1))
    px = np.where(all_cross[account] & (rng.random(px.size) < UNTOLD), np.nan, px)
    isolated = snapshot.isolated[account, coin]
    columns = [
        np.array(names)[account],
        np.array([coin.name for coin in COINS])[coin],
        size,
        np.abs(size) * snapshot.mark[coin],
        snapshot.entry[account, coin],
        pa.array(px, from_pandas=True),
        np.where(isolated, "isolated", "cross"),
        snapshot.leverage[account, coin].astype(np.uint32),
        snapshot.funding_pnl[account, coin],
        snapshot.account_value[account],
        np.full(size.size, "standard"),
    ]
    return pa.table([pa.array(column) for column in columns], schema=SCHEMA)
