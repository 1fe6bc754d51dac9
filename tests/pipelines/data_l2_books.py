import json
from datetime import timedelta

import pyarrow as pa

from pipelines.sources.l2_books import to_books
from warehouse.contracts.tables import ORDER_BOOKS

PATH = "market_data/20260401/0/l2Book/SOL.lz4"


START = 1_775_001_600_000  # 2026-04-01, ms


ALL, MINUTE = timedelta(0), timedelta(minutes=1)


LEVELS = [[{"px": "83.141", "sz": "18.41", "n": 1}], [{"px": "83.15", "sz": "2.0", "n": 4}]]


def data(ms=START, **changes):
    whole = {"coin": "SOL", "time": ms, "levels": LEVELS} | changes
    return {name: value for name, value in whole.items() if value is not ...}


def line(ms=START, raw=None, **changes):
    """Return one line; ``changes`` are of the book."""
    whole = {
        "time": "2026-04-01T00:00:12.669126791",
        "ver_num": 1,
        "raw": raw or {"channel": "l2Book", "data": data(ms, **changes)},
    }
    return json.dumps(whole, separators=(",", ":"))


def body_of(*lines):
    return "".join(f"{each}\n" for each in lines).encode()


def books(*lines, every=ALL):
    return to_books(body_of(*lines), PATH, every)[0]


def times(rows):
    """Return the books' times, ms after the start."""
    return [round((at.timestamp() * 1000) - START) for at in rows["book_ts"].to_pylist()]


def contract(rows):
    """Hold rows, each moment once, to the contract."""
    seen = dict(zip(times(rows)[::-1], range(rows.num_rows)[::-1], strict=True))
    once = rows.take(pa.array(sorted(seen.values()), pa.int64()))
    source = pa.array(["test"] * once.num_rows, pa.string())
    return ORDER_BOOKS.check(once.append_column("source", source))
