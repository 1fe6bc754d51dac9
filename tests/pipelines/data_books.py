"""An archive of order books by hand: hours of coins, a book at each moment."""

import json
from datetime import UTC, datetime, timedelta

import lz4.frame

DAY = datetime(2026, 4, 1, tzinfo=UTC)


def book(at, coin, bid):
    levels = [
        [{"px": str(bid), "sz": "1.5", "n": 2}],
        [{"px": str(bid + 1), "sz": "2.0", "n": 1}],
    ]
    data = {"coin": coin, "time": int(at.timestamp() * 1000), "levels": levels}
    return {"time": at.isoformat(), "ver_num": 1, "raw": {"channel": "l2Book", "data": data}}


def put_books(root, hour, coin, *seconds, bid=100.0, others=()):
    """Write the file of a coin's hour: a book at each of ``seconds`` after its start."""
    at = DAY + timedelta(hours=hour)
    books = [book(at + timedelta(seconds=each), coin, bid + each) for each in seconds]
    name = f"{at:%Y%m%d}/{at.hour}/l2Book/{coin}.lz4"
    file = root / "hyperliquid-archive/market_data" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(each) + "\n" for each in (*books, *others))
    file.write_bytes(lz4.frame.compress(lines.encode()))
    return str(root)
