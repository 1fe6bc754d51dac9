"""This module writes fills as the venue's nodes do: blocks, one a line, in hourly LZ4 files.

The files are cut by the node's clock, which runs behind the blocks' time: a fill of an hour's
end lies in the next hour's file, most of all at the hours before which the node fell behind.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import lz4.frame
import numpy as np
import orjson

from pipelines.demo_rows.accounts import Side
from pipelines.demo_rows.prices import COINS
from pipelines.demo_rows.trading import BLOCK, Fill, Liquidation
from pipelines.demo_rows.world import History

FOLDER = "node_fills_by_block/hourly"
MISSING = 0.62  # which hour's file is missing, as a fraction of all
HOUR = 3_600_000  # ms
LATE_EVERY, LATE_FOR, LATE_BY = 6 * HOUR, 240_000, 250_000  # ms
FIRST_ORDER = 290_000_000_000
# Odd, so that multiplying by it modulo 2^50 gives every trade another number.
SCATTER = 0x9E3779B97F4A7 | 1


def write_fills(
    folder: Path, history: History, names: list[str], rng: np.random.Generator
) -> None:
    """Write one file an hour, but for the one that is missing."""
    hours = len(history.rate)
    lines: list[list[bytes]] = [[] for _ in range(hours)]
    for local_ns, line in _blocks(history.fills, names, rng):
        hour = (local_ns // 1_000_000 - history.start_ms) // HOUR
        if 0 <= hour < hours:
            lines[hour].append(line)
    for hour, of_hour in enumerate(lines):
        if hour == int(MISSING * hours):
            continue
        at = datetime.fromtimestamp((history.start_ms + hour * HOUR) / 1000, UTC)
        path = folder / FOLDER / f"{at:%Y%m%d}" / f"{at.hour}.lz4"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(lz4.frame.compress(b"".join(of_hour)))


def _blocks(
    fills: list[Fill], names: list[str], rng: np.random.Generator
) -> Iterator[tuple[int, bytes]]:
    """Yield each block's local time, ns, and its line; local time never goes back."""
    local_ns, number = 0, 0
    for ms, of_block in groupby(fills, key=lambda fill: fill.ms):
        events = []
        for fill in of_block:
            events += _events(fill, number, names)
            number += 1
        late = LATE_BY if ms % LATE_EVERY >= LATE_EVERY - LATE_FOR else 0
        delay = int(rng.integers(150_000_000, 450_000_000)) + late * 1_000_000
        local_ns = max(local_ns + 1, ms * 1_000_000 + delay)
        block = {
            "local_time": _nanoseconds(local_ns),
            "block_time": _nanoseconds(ms * 1_000_000),
            "block_number": ms // BLOCK,
            "events": events,
        }
        yield local_ns, orjson.dumps(block) + b"\n"


def _events(fill: Fill, number: int, names: list[str]) -> list[list[Any]]:
    """Return the two sides of a trade, the buyer's first."""
    coin = COINS[fill.coin]
    tid = number * SCATTER % 2**50
    told = _liquidation(fill.liquidation, names)
    return [
        [
            names[side.account],
            {
                "coin": coin.name,
                "px": decimal(fill.px),
                "sz": decimal(fill.size),
                "side": letter,
                "time": fill.ms,
                "startPosition": decimal(side.start_position),
                "dir": side.direction,
                "closedPnl": decimal(side.closed_pnl),
                "hash": f"0x{tid:064x}",
                "oid": FIRST_ORDER + 2 * number + side.is_taker,
                "crossed": side.is_taker,
                "fee": decimal(side.fee),
                "tid": tid,
                **_cloid(side, number),
                **told,
                "feeToken": "USDC",
                "twapId": None,
            },
        ]
        for letter, side in (("B", fill.buyer), ("A", fill.seller))
    ]


def _cloid(side: Side, number: int) -> dict[str, str]:
    """Return the client's own order id, which programs that quote give and others do not."""
    return {} if side.is_taker else {"cloid": f"0x{number:032x}"}


def _liquidation(told: Liquidation | None, names: list[str]) -> dict[str, Any]:
    if told is None:
        return {}
    return {
        "liquidation": {
            "liquidatedUser": names[told.account],
            "markPx": decimal(told.mark_px),
            "method": told.method,
        }
    }


def decimal(value: float) -> str:
    """Return a number as the venue writes it.

    >>> decimal(0.00002), decimal(-255.0), decimal(0.1 + 0.2), decimal(-0.0)
    ('0.00002', '-255.0', '0.3', '0.0')
    """
    text = f"{value:.8f}".rstrip("0")
    text += "0" if text.endswith(".") else ""
    return "0.0" if text == "-0.0" else text


def _nanoseconds(ns: int) -> str:
    at = datetime.fromtimestamp(ns // 1_000_000_000, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{ns % 1_000_000_000:09d}"
