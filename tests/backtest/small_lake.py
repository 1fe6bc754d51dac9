"""A lake small enough to work by hand: hourly bars, hourly funding, snapshots of positions."""

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from warehouse.contracts.tables import (
    ASSET_CONTEXTS,
    CANDLES,
    FILLS,
    FUNDING,
    INSTRUMENTS,
    ORDER_BOOKS,
    POSITIONS,
    SNAPSHOTS,
)
from warehouse.store import Landing, land, landing

HOUR = timedelta(hours=1)
START = datetime(2026, 1, 2, tzinfo=UTC)
HOURS = 200
VOLUME = 1e5  # coins an hour


def at(hours):
    return START + hours * HOUR


def account(number):
    return f"0x{number:040x}"


LENGTHS = {
    "1d": 24 * HOUR,
    "4h": 4 * HOUR,
    "2h": 2 * HOUR,
    "1h": HOUR,
    "30m": HOUR / 2,
    "20m": HOUR / 3,
    "15m": HOUR / 4,
    "1m": HOUR / 60,
}


def _land(root, table, batch, part, origins=()):
    """Land a batch in a step of its own or, of a landing, as a part of it."""
    with nullcontext(root) if isinstance(root, Landing) else landing(root) as batches:
        batches.land(table, batch, part, origins)


def land_bars(
    root,
    bars,
    *,
    first=0,
    coin="BTC",
    venue="hyperliquid",
    source="market",
    volume=None,
    interval="1h",
):
    """Land ``(open, high, low, close)`` from hour ``first`` on; None is a hole.

    ``volume`` is every bar's, or a list of each one's.
    """
    length = LENGTHS[interval]
    rows = [
        {
            "venue": venue,
            "coin": coin,
            "interval": interval,
            "start_ts": at(first) + number * length,
            "open_px": bar[0],
            "high_px": bar[1],
            "low_px": bar[2],
            "close_px": bar[3],
            "volume": volume[number] if isinstance(volume, list) else volume,
            "source": source,
            "known_ts": at(first) + (number + 1) * length,
        }
        for number, bar in enumerate(bars)
        if bar is not None
    ]
    batch = pa.Table.from_pylist(rows, CANDLES.schema)
    land(root, CANDLES, batch, f"{venue}-{source}-{coin.lower()}-{interval}")


def land_funding(
    root,
    rates,
    *,
    first=0,
    coin="BTC",
    source="market",
    late_ms=0,
    period_hours=1.0,
    part=None,
):
    """Land one rate an hour; None is a missing hour."""
    rows = [
        {
            "venue": "hyperliquid",
            "coin": coin,
            "time_ts": at(first + hour) + timedelta(milliseconds=late_ms),
            "rate": rate,
            "period_hours": period_hours,
            "source": source,
            "known_ts": at(first + hour),
        }
        for hour, rate in enumerate(rates)
        if rate is not None
    ]
    batch = pa.Table.from_pylist(rows, FUNDING.schema)
    land(root, FUNDING, batch, part or f"{source}-{coin.lower()}")


def land_snapshot(root, hours, positions, *, known=None, mark=100.0, source="reservoir"):
    """Land ``(coin, size, liquidation_px)`` as they were at one hour; into a landing too."""
    ts, known_ts = at(hours), at(hours if known is None else known)
    rows = [
        {
            "snapshot_ts": ts,
            "source": source,
            "scope": "hyperliquid",
            "coin": coin,
            "account": account(number),
            "size": size,
            "entry_px": None,
            "mark_px": mark,
            "liquidation_px": px,
            "liquidation_px_source": None if px is None else "venue",
            "leverage": None,
            "leverage_type": None,
            "max_leverage": None,
            "margin_used": None,
            "account_value": None,
            "account_mode": None,
            "funding_pnl": None,
            "known_ts": known_ts,
        }
        for number, (coin, size, px) in enumerate(positions)
    ]
    snapshot = {
        "snapshot_ts": ts,
        "source": source,
        "scope": "hyperliquid",
        "complete": True,
        "trusted": True,
        "accounts_asked": None,
        "accounts_failed": None,
        "accounts": len(rows),
        "positions": len(rows),
        "px_venue": sum(px is not None for _, _, px in positions),
        "px_computed": 0,
        "px_never": 0,
        "px_unknown": sum(px is None for _, _, px in positions),
        "known_ts": known_ts,
    }
    part = f"{source}-{ts:%Y%m%dt%H%M%S}"
    with nullcontext(root) if isinstance(root, Landing) else landing(root) as batches:
        batches.land(POSITIONS, pa.Table.from_pylist(rows, POSITIONS.schema), part)
        batches.land(SNAPSHOTS, pa.Table.from_pylist([snapshot], SNAPSHOTS.schema), part)


def land_instrument(
    root, size_decimals, *, hours=0, known=None, coin="BTC", tiers=((0.0, 40.0),)
):
    row = {
        "coin": coin,
        "effective_ts": at(hours),
        "max_leverage": tiers[0][1],
        "size_decimals": size_decimals,
        "margin_tiers": [{"lower_bound": low, "max_leverage": most} for low, most in tiers],
        "source": "market",
        "known_ts": at(hours if known is None else known),
    }
    batch = pa.Table.from_pylist([row], INSTRUMENTS.schema)
    _land(root, INSTRUMENTS, batch, f"market-{coin.lower()}-{hours}")


def land_book(root, hours, bids, asks, *, coin="BTC", source="market", known=None):
    """Land a book of ``(px, size)``, best first."""
    sides = {"bids": bids, "asks": asks}
    row = {
        "coin": coin,
        "book_ts": at(hours),
        **{
            name: [{"px": px, "size": size, "orders": None} for px, size in levels]
            for name, levels in sides.items()
        },
        "source": source,
        "known_ts": at(hours if known is None else known),
    }
    batch = pa.Table.from_pylist([row], ORDER_BOOKS.schema)
    _land(root, ORDER_BOOKS, batch, f"{source}-{coin.lower()}-{hours}".replace(".", "_"))


def land_context(
    root,
    hours,
    *,
    oracle=None,
    volume=None,
    interest=None,
    rate=None,
    coin="BTC",
    source="market",
    known=None,
):
    row = {
        "venue": "hyperliquid",
        "coin": coin,
        "context_ts": at(hours),
        "oracle_px": oracle,
        "day_notional_volume": volume,
        "open_interest": interest,
        "funding_rate": rate,
        "source": source,
        "known_ts": at(hours if known is None else known),
    }
    batch = pa.Table.from_pylist([row], ASSET_CONTEXTS.schema)
    _land(root, ASSET_CONTEXTS, batch, f"{source}-{coin.lower()}-{hours}".replace(".", "_"))


def land_fills(root, hour, forced=(), *, known=None, coin="BTC", origins=(), clock=None):
    """Land an hour of fills: ``(minute, side, notional)`` of what was liquidated in it, and a
    trade at its very end.  It was told as it happened, or published at the hour ``known``."""
    number = 1000 * int(hour)
    trades = [(minute, side, usd, "market") for minute, side, usd in forced]
    rows = []
    for n, (minute, side, usd, method) in enumerate([*trades, (59.99, "long", 1.0, None)]):
        ts = at(hour) + timedelta(minutes=minute)
        row = {column.name: None for column in FILLS.columns} | {
            "time_ts": ts,
            "coin": coin,
            "account": account(n),
            "px": 100.0,
            "size": usd / 100.0,
            "is_buy": side == "short",
            "start_position": 0.0,
            "trade_id": number + n,
            "order_id": number + n,
            "is_taker": True,
            "liquidation_method": method,
            "liquidated_account": account(n) if method else None,
            "source": "market",
            "known_ts": ts if known is None else at(known),
        }
        rows.append(row)
    batch = pa.Table.from_pylist(rows, FILLS.schema)
    part = f"market-{at(hour):%H}"
    if clock is None:
        _land(root, FILLS, batch, part, origins)
    else:
        land(root, FILLS, batch, part, origins, lambda: clock)


def walk(hours=HOURS, seed=2):
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.006, hours)))
    open_px = np.concatenate([[100.0], close[:-1]]) * np.exp(rng.normal(0, 0.001, hours))
    high = np.maximum(open_px, close) * (1 + rng.uniform(0, 0.004, hours))
    low = np.minimum(open_px, close) * (1 - rng.uniform(0, 0.004, hours))
    return [tuple(map(float, bar)) for bar in zip(open_px, high, low, close, strict=True)]


def book(rng, mark):
    sizes = rng.choice([-3.0, -1.0, 1.0, 3.0], 40)
    away = rng.uniform(0.005, 0.12, 40)
    return [
        ("BTC", float(size), float(mark * (1 - np.sign(size) * gap)))
        for size, gap in zip(sizes, away, strict=True)
    ]


def land_lake(root, hours=HOURS, source="market", snapshots_until=None):
    """Bars and funding of every hour, a snapshot every 8 hours that is known 4 hours later."""
    bars = walk()[:hours]
    land_bars(root, bars, source=source, volume=VOLUME)
    rates = np.random.default_rng(4).normal(0, 1e-4, HOURS + 1)
    land_funding(root, [float(rate) for rate in rates[: hours + 1]])
    with landing(root) as batches:
        for hour in range(10, snapshots_until or hours, 8):
            mark = bars[hour][3]
            held = book(np.random.default_rng(hour), mark)
            land_snapshot(batches, hour, held, known=hour + 4, mark=mark)
    return root
