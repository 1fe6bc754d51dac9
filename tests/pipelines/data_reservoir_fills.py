from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq

from tests.rows import account
from warehouse.contracts.fills import FILLS

AT = datetime(2025, 10, 10, 21, 15, 3, 250_000, tzinfo=UTC)


MONEY = pa.decimal128(20, 10)


KINDS = {
    **dict.fromkeys(
        ("price", "size", "start_position", "realized_pnl", "fee", "liquidation_mark_px"), MONEY
    ),
    "timestamp": pa.timestamp("us", "UTC"),
    "order_id": pa.uint64(),
    "trade_id": pa.uint64(),
    "liquidation_method": pa.string(),
}


def record(holder=1, **others):
    return {
        "coin": "ETH",
        "asset_class": "perp",
        "address": account(holder).upper().replace("X", "x"),
        "side": "sell",
        "price": Decimal("4215.9"),
        "size": Decimal("0.3"),
        "timestamp": AT,
        "direction": "Close Long",
        "start_position": Decimal("0.3"),
        "realized_pnl": Decimal("-1.5"),
        "fee": Decimal("0.2"),
        "fee_token": "USDC",
        "crossed": True,
        "is_liquidation": False,
        "liquidation_mark_px": None,
        "liquidation_method": None,
        "order_id": 7,
        "trade_id": 9,
    } | others


def table_of(*records):
    names = list(records[0])
    return pa.table(
        {name: pa.array([each[name] for each in records], KINDS.get(name)) for name in names}
    )


def landable(fills):
    """Hold rows to the contract, as whoever lands them does."""
    rows = fills.append_column("source", pa.repeat("reservoir", fills.num_rows))
    known = pa.repeat(pa.scalar(AT, KINDS["timestamp"]), fills.num_rows)
    rows = rows.append_column("known_ts", known)
    return FILLS.check(rows)


LIQUIDATED = {
    "is_liquidation": True,
    "liquidation_mark_px": Decimal("4216.5"),
    "liquidation_method": "market",
}


TWO = table_of(record(), record(2, side="buy", **LIQUIDATED))


def write(root, day, *records, prefix="by_dex/hyperliquid/fills/perp/all", **options):
    folder = root / prefix / f"date={day}"
    folder.mkdir(parents=True)
    pq.write_table(table_of(*records), folder / "fills.parquet", **options)
    return f"{prefix}/date={day}/fills.parquet"
