"""This module measures the map of a coin on a short and on a long lake."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa

from benchmarks.figure import Figure, best
from warehouse import open_lake
from warehouse.contracts.tables import POSITIONS, SNAPSHOTS
from warehouse.store import land

T0 = datetime(2025, 1, 1, 12, tzinfo=UTC)
COINS = ("BTC", "ETH", "SOL", "HYPE", *(f"C{number}" for number in range(96)))


def land_days(lake: Path, days: int, rows: int, seed: int = 0) -> None:
    """Land one snapshot a day of ``rows`` positions."""
    rng = np.random.default_rng(seed)
    for day in range(days):
        at = T0 + timedelta(days=day)
        size, mark = rng.normal(0, 5, rows), 100.0
        held = pl.DataFrame(
            {
                "coin": rng.choice(COINS, rows),
                "account": [f"0x{number:040x}" for number in rng.permutation(rows)],
                "size": np.where(size == 0, 1.0, size),
                "liquidation_px": mark * (1 - np.sign(size) * rng.uniform(0.01, 0.9, rows)),
            }
        ).with_columns(
            snapshot_ts=pl.lit(at, pl.Datetime("us", "UTC")),
            source=pl.lit("bench"),
            scope=pl.lit("hyperliquid"),
            mark_px=pl.lit(mark),
            liquidation_px_source=pl.lit("venue"),
            known_ts=pl.lit(at, pl.Datetime("us", "UTC")),
        )
        missing = {c.name: None for c in POSITIONS.columns if c.name not in held.columns}
        batch = held.with_columns(**{name: pl.lit(None) for name in missing})
        land(lake, POSITIONS, batch.to_arrow(), f"bench-{day}")
        counts = dict.fromkeys(
            ("accounts", "positions", "px_venue", "px_computed", "px_never", "px_unknown"), rows
        )
        summary = {
            "snapshot_ts": at,
            "source": "bench",
            "scope": "hyperliquid",
            "complete": True,
            "trusted": True,
            "known_ts": at,
        } | counts
        land(lake, SNAPSHOTS, pa.Table.from_pylist([summary], SNAPSHOTS.schema), f"bench-{day}")


def maps_at_a_moment(folder: Path) -> Iterator[Figure]:
    """Measure one coin's map on a short and on a long lake."""
    spent = {}
    for days in (7, 365):
        lake = folder / f"lake-{days}"
        land_days(lake, days, 3_000)
        at = T0 + timedelta(days=days - 1, hours=5)
        with open_lake(lake) as con:
            spent[days] = best(partial(_btc_map, con, at))
    yield Figure(
        "`liquidation_map`, one coin, 365-day lake",
        f"{spent[365] * 1e3:.0f} ms",
        f"the same on a 7-day lake: {spent[7] * 1e3:.0f} ms",
        spent[365] / spent[7],
        "≤ 2, and < 100 ms",
    )


def _btc_map(con: duckdb.DuckDBPyConnection, at: datetime) -> list[tuple]:
    return con.sql("from liquidation_map('BTC', $at)", params={"at": at}).fetchall()
