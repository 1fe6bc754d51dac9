"""This module measures the landing of fills."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import lz4.frame
import orjson

from benchmarks.figure import Figure, best
from pipelines.simulator.archive.write import write_archive
from pipelines.simulator.world import WorldSpec
from pipelines.steps.fills import land_hourly_fills


def node_fills(folder: Path) -> Iterator[Figure]:
    """Measure the landing of fills against merely parsing them."""
    archive = folder / "archive"
    spec = WorldSpec(coins=8, accounts=100)
    write_archive(spec, 2, archive, books=False, contexts=False, market=False)
    source = b"".join(
        lz4.frame.decompress(file.read_bytes())
        for file in sorted(archive.glob("*/node_fills_by_block/hourly/*/*.lz4"))
    ).splitlines()
    hours = folder / "hours"
    for hour in range(3):
        file = hours / f"node_fills_by_block/hourly/20260105/{hour}.lz4"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(lz4.frame.compress(b"\n".join(_many(source, hour, 25))))
    lines = [
        lz4.frame.decompress(file.read_bytes()).splitlines()
        for file in sorted(hours.rglob("*.lz4"))
    ]
    fills = sum(len(orjson.loads(line)["events"]) for body in lines for line in body)
    parse = best(lambda: [[orjson.loads(line) for line in body] for body in lines], 3)
    ours = best(lambda: land_hourly_fills(str(hours), folder / "fills"), 3)
    yield Figure(
        f"node fills to sorted Parquet, {fills:,} fills",
        f"{ours / fills * 1e6:.1f} µs a fill",
        f"orjson merely parses them: {parse / fills * 1e6:.1f} µs a fill",
        ours / parse,
        "≤ 2",
    )


def _many(lines: list[bytes], hour: int, copies: int) -> Iterator[bytes]:
    """Yield the lines several times over, moved into one hour and with ids of their own."""
    start = int(datetime(2026, 1, 5, hour, tzinfo=UTC).timestamp() * 1000)
    tid = 0
    for _ in range(copies):
        for line in lines:
            block = json.loads(line)
            for _, fill in block["events"]:
                tid += 1
                fill["tid"], fill["time"] = tid, start + tid % 3_600_000
            yield orjson.dumps(block)
