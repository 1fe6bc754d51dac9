"""Rows for tests of liquidations through time, and how two answers are compared."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.rows import account
from warehouse.contracts.tables import ASSET_CONTEXTS, FILLS

T0 = datetime(2026, 1, 8, 10, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
COMPARED = (
    "liquidations",
    "long_notional",
    "short_notional",
    "largest",
    "adl_notional",
    "backstop_notional",
    "accounts",
    "velocity",
    "norm",
    "velocity_ratio",
    "one_sidedness",
    "open_interest",
    "open_interest_change_pct",
    "funding_rate",
    "funding_shift",
    "depth",
    "book_taken",
    "cascade_score",
)


def fill(number, at, side, px, size, method="market", lag=timedelta(0)):
    row = {column.name: None for column in FILLS.columns}
    whose = account(number % 5)
    return row | {
        "time_ts": at,
        "coin": "BTC",
        "account": whose,
        "px": px,
        "size": size,
        "is_buy": side == "short",
        "start_position": 0.0,
        "trade_id": number,
        "order_id": number,
        "is_taker": True,
        "liquidation_method": method,
        "liquidated_account": whose if method else None,
        "source": "test",
        "known_ts": at + lag,
    }


def context(at, interest, rate):
    row = {column.name: None for column in ASSET_CONTEXTS.columns}
    return row | {
        "venue": "hyperliquid",
        "coin": "BTC",
        "context_ts": at,
        "open_interest": interest,
        "funding_rate": rate,
        "source": "test",
        "known_ts": at,
    }


def book(at, size):
    level = {"px": 99.95, "size": size, "orders": None}
    far = {"px": 90.0, "size": 5.0, "orders": None}
    return {
        "coin": "BTC",
        "book_ts": at,
        "bids": [level, far],
        "asks": [level | {"px": 100.05}],
        "source": "test",
        "known_ts": at,
    }


def hold_hours(con, hours, known_after=timedelta(0), silent=()):
    """Let the ledger say that the fills of ``hours`` are held, ``silent`` from node_trades."""
    con.execute("delete from promised.parts")
    lines = [
        (
            source,
            hour.date(),
            f"{source}-{hour:%H}",
            hour + HOUR - MINUTE,
            hour + HOUR + known_after,
        )
        for hour in hours
        for source in ["node_trades" if hour in silent else "test"]
    ]
    con.executemany(
        "insert into promised.parts by name select 'fills' as table_name, $1 as source, "
        "$2 as day, $3 as part, $4 as max_ts, $5 as known_ts",
        lines,
    )


def asked(con, query, **parameters):
    relation = con.sql(query, params=parameters)
    columns = relation.columns
    return [dict(zip(columns, row, strict=True)) for row in relation.fetchall()]


def close(found, wanted, columns=COMPARED):
    assert [row["ts"] for row in found] == [row["ts"] for row in wanted]
    for one, other in zip(found, wanted, strict=True):
        for name in columns:
            want = other[name]
            if isinstance(want, float):
                want = pytest.approx(want, rel=1e-9, abs=1e-12)
            assert one[name] == want, (one["ts"], name)


def same_cascades(found, wanted):
    """Hold cascades equal; sums may have been added up in another order."""
    for row, other in zip(found, wanted, strict=True):
        for name, value in other.items():
            exact = not isinstance(value, float)
            assert row[name] == (value if exact else pytest.approx(value, rel=1e-9)), name
