from datetime import UTC, datetime

import pyarrow as pa

from pipelines.sources.artemis_fill_rows import translated
from tests.rows import account
from warehouse.contracts.fills import FILLS
from warehouse.contracts.table import TS

FOLDER = "raw/node_fills/hourly/2025/10/10/21"


HOUR = datetime(2025, 10, 10, 21, tzinfo=UTC)


AT = datetime(2025, 10, 10, 21, 15, 3, 250_000, tzinfo=UTC)


MS = int(AT.timestamp() * 1000)


MARKET = {"liquidatedUser": account(2).upper(), "markPx": "4216.5", "method": "market"}


MARKET["liquidatedUser"] = MARKET["liquidatedUser"].replace("X", "x")


OBJECT = pa.struct([(name, pa.string()) for name in MARKET])


def record(holder=1, **others):
    return {
        "user": account(holder),
        "coin": "ETH",
        "px": "4215.9",
        "sz": "0.3",
        "side": "A",
        "time": AT,
        "startPosition": "0.3",
        "dir": "Close Long",
        "closedPnl": "-1.5",
        "hash": "0x00",
        "oid": 7,
        "crossed": True,
        "fee": "0.2",
        "tid": 9,
        "feeToken": "USDC",
        "liquidation": None,
    } | others


def table_of(*records, liquidation=OBJECT):
    names = list(dict.fromkeys(name for each in records for name in each))
    return pa.table(
        {
            name: pa.array(
                [each.get(name) for each in records],
                {"liquidation": liquidation, "time": TS}.get(name),
            )
            for name in names
        }
    )


def replaced(table, name, values):
    return table.set_column(table.column_names.index(name), name, values)


def fills_of(*tables):
    return translated({f"{n}.parquet": table for n, table in enumerate(tables)}, HOUR)


def landable(fills):
    """Hold rows to the contract, as whoever lands them does."""
    rows = fills.append_column("source", pa.repeat("artemis", fills.num_rows))
    return FILLS.check(
        rows.append_column("known_ts", pa.repeat(pa.scalar(AT, TS), fills.num_rows))
    )


TWO = table_of(record(liquidation=MARKET), record(2, side="B", crossed=False))
