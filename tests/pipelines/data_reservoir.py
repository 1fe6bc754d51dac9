from datetime import UTC, datetime

import polars as pl

from tests.rows import account
from warehouse import open_lake

AT = datetime(2026, 1, 2, 18, 30, 15, 250_000, tzinfo=UTC)


def record(holder=1, market="BTC", size=1.0, mark=50_000.0, **others):
    return {
        "user": account(holder),
        "market": market,
        "size": size,
        "notional": abs(float(size)) * mark,
        "entry_price": 49_000.0,
        "liquidation_price": 40_000.0,
        "leverage_type": "cross",
        "leverage": 10,
        "funding_pnl": 0.0,
        "account_value": 12_000.0,
        "account_mode": "standard",
    } | others


SCHEMA = {"liquidation_price": pl.Float64, "leverage": pl.UInt32, "account_mode": pl.String}


def write(root, *records, at=AT, dex="hyperliquid", path=None, schema=SCHEMA):
    ms = int(at.timestamp() * 1000)
    folder = root / (path or f"by_dex/{dex}/snapshots/perp") / f"date={at:%Y-%m-%d}"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{ms // 70}_{ms}.parquet"
    pl.DataFrame(list(records), schema_overrides=schema).write_parquet(file)
    return file


def rows(lake, query):
    with open_lake(lake) as con:
        return con.sql(query).fetchall()
