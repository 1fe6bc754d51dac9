"""Rows of the lake's contracts for tests: say what matters, the rest is filled in."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from warehouse.contracts.tables import INSTRUMENTS, POSITIONS, SNAPSHOTS
from warehouse.store import land, landing

T0 = datetime(2026, 1, 2, tzinfo=UTC)


def account(number):
    return f"0x{number:040x}"


def position(coin="BTC", holder=1, size=1.0, mark_px=100.0, liquidation_px=None, **others):
    row = {column.name: None for column in POSITIONS.columns}
    row |= {
        "snapshot_ts": T0,
        "source": "test",
        "scope": "hyperliquid",
        "coin": coin,
        "account": account(holder),
        "size": size,
        "mark_px": mark_px,
        "liquidation_px": liquidation_px,
        "liquidation_px_source": None if liquidation_px is None else "venue",
        "known_ts": T0,
    }
    return row | others


def snapshot(at=T0, rows=(), known_ts=None, **others):
    priced = sum(row["liquidation_px"] is not None for row in rows)
    row = {
        "snapshot_ts": at,
        "source": "test",
        "scope": "hyperliquid",
        "complete": True,
        "trusted": True,
        "accounts_asked": None,
        "accounts_failed": None,
        "accounts": len({row["account"] for row in rows}),
        "positions": len(rows),
        "px_venue": priced,
        "px_computed": 0,
        "px_never": 0,
        "px_unknown": len(rows) - priced,
        "known_ts": known_ts or at,
    }
    return row | others


def batch(table, rows):
    return pa.Table.from_pylist(list(rows), table.schema)


def land_snapshot(lake, rows, at=T0, known_after=timedelta(0), **others):
    """Land positions as one snapshot taken at ``at``; ``others`` go to its summary."""
    known_ts = at + known_after
    rows = [row | {"snapshot_ts": at, "known_ts": known_ts} for row in rows]
    part = f"test-{at:%Y%m%dt%H%M%S%f}"
    with landing(lake) as batches:
        batches.land(POSITIONS, batch(POSITIONS, rows), part)
        summary = snapshot(at, rows, known_ts, **others)
        batches.land(SNAPSHOTS, batch(SNAPSHOTS, [summary]), part)
    return batches.places["positions"] + batches.places["snapshots"]


def land_tiers(lake, ladders, at=T0 - timedelta(days=1), part="tiers"):
    """Land margin tiers ``{coin: [Tier, ...]}`` that are in force, and known, since ``at``."""
    rows = [
        {
            "coin": coin,
            "effective_ts": at,
            "max_leverage": tiers[0].max_leverage,
            "size_decimals": None,
            "margin_tiers": [tier._asdict() for tier in tiers],
            "source": "test",
            "known_ts": at,
        }
        for coin, tiers in ladders.items()
    ]
    land(lake, INSTRUMENTS, batch(INSTRUMENTS, rows), part)


def hold(con, table, rows):
    """Make ``rows`` all that a table of an empty, open lake holds; no files are written."""
    held = table.check(batch(table, rows))  # noqa: F841  read by name in SQL
    con.execute(f"delete from promised.{table.name}")
    con.execute(
        f"insert into promised.{table.name} by name "
        f"select *, {table.time}::date as day from held"
    )
