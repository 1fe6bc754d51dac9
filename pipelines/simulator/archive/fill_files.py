"""This module writes fills as the venue's nodes do: blocks, one a line, in hourly LZ4 files.

The files are cut by the node's clock, which runs behind the blocks' time: a fill of an hour's
end lies in the next hour's file, most of all at the hours before which the node fell behind.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import lz4.frame
import numpy as np
import polars as pl

from pipelines.simulator.archive.fill_faults import FillFaults
from pipelines.simulator.archive.fill_rows import sides_of
from pipelines.simulator.archive.hours import HOUR_MS, Hour
from pipelines.simulator.archive.scatter import scatter
from pipelines.simulator.archive.text import instants
from pipelines.simulator.kernels.advance import BLOCK
from pipelines.simulator.world import Simulation

FOLDER = "hl-mainnet-node-data/node_fills_by_block/hourly"
DELAY = (150_000_000, 450_000_000)  # ns that the node runs behind, from and to
LATE_EVERY, LATE_FOR, LATE_BY = 6 * HOUR_MS, 240_000, 250_000  # ms
AT_ONCE = 20_000  # trades; about 25 MB of text


class FillFiles:
    """The fills of a world on their way to their hours' files.

    Parameters
    ----------
    sim
        The simulation.
    faults
        What is done to them.
    """

    def __init__(self, sim: Simulation, faults: FillFaults) -> None:
        self._sim, self._faults = sim, faults
        self._waiting: list[np.ndarray] = []
        self._count, self._local_ns = 0, 0
        self._lines: dict[int, list[bytes]] = {}
        self._next = sim.spec.start_ms

    def files(self, hour: Hour) -> Iterator[tuple[int, str, bytes]]:
        """Take what an hour brought, and yield the files that no later hour can add to.

        With each comes the start of its hour, ms, and its path.
        """
        self._waiting.append(hour.told.trades)
        if sum(map(len, self._waiting)) >= AT_ONCE or hour.ends_day:
            self._write()
            yield from self._closed(hour.end_ms)

    def rest(self, end_ms: int) -> Iterator[tuple[int, str, bytes]]:
        """Yield the files of what arrived after the end, if anything did."""
        self._write()
        yield from self._closed(max([end_ms, *(hour + HOUR_MS for hour in self._lines)]))

    def _write(self) -> None:
        """Put the trades that wait into the hours of their arrival."""
        trades, self._waiting = np.concatenate(self._waiting or [_NONE]), []
        if not trades.size:
            return
        blocks = _blocks(sides_of(self._sim, trades, self._count))
        self._count += trades.size
        ms = blocks["ms"].to_numpy()
        local = self._arrivals(ms)
        lines = _lines(blocks, local, self._sim.spec.seed)
        hours = local // 1_000_000 // HOUR_MS * HOUR_MS
        hours = self._faults.arrivals(hours, -(-ms // BLOCK))
        for at, line in zip(hours.tolist(), lines, strict=True):
            self._lines.setdefault(at, []).append(line)

    def _arrivals(self, ms: np.ndarray) -> np.ndarray:
        """Return when the node had each block, ns; its clock never goes back."""
        drawn = scatter(self._sim.spec.seed, "delay", ms) % np.uint64(DELAY[1] - DELAY[0])
        late = np.where(ms % LATE_EVERY >= LATE_EVERY - LATE_FOR, LATE_BY, 0)
        local = (ms + late) * 1_000_000 + DELAY[0] + drawn.astype(np.int64)
        place = np.arange(local.size)
        local[0] = max(local[0], self._local_ns + 1)
        local = np.maximum.accumulate(local - place) + place
        self._local_ns = int(local[-1])
        return local

    def _closed(self, until_ms: int) -> Iterator[tuple[int, str, bytes]]:
        """Yield the files of the hours before ``until_ms``; one without a block is empty."""
        while self._next < until_ms:
            path = hour_path(self._next)
            lines = self._faults.lines(path, self._next, self._lines.pop(self._next, []))
            yield self._next, path, lz4.frame.compress(b"".join(lines))
            self._next += HOUR_MS


_NONE = np.zeros(0, np.int64)


def hour_path(ms: int) -> str:
    """Return the path of the file of the hour that starts at ``ms``.

    >>> hour_path(1_767_600_000_000)
    'hl-mainnet-node-data/node_fills_by_block/hourly/20260105/8.lz4'
    """
    at = datetime.fromtimestamp(ms / 1000, UTC)
    return f"{FOLDER}/{at:%Y%m%d}/{at.hour}.lz4"


def _blocks(sides: pl.DataFrame) -> pl.DataFrame:
    """Return each block's time and its events, as text."""
    quoted = {name: _quoted(name) for name in ("px", "sz", "side", "hash")}
    events = sides.select(
        "ms",
        event=pl.concat_str(
            pl.lit('["'),
            "user",
            pl.lit('",{"coin":"'),
            "coin",
            pl.lit('"'),
            quoted["px"],
            quoted["sz"],
            quoted["side"],
            pl.lit(',"time":'),
            "ms",
            _quoted("start", "startPosition"),
            _quoted("direction", "dir"),
            _quoted("pnl", "closedPnl"),
            quoted["hash"],
            pl.lit(',"oid":'),
            "oid",
            pl.lit(',"crossed":'),
            "crossed",
            _quoted("fee"),
            _quoted("builder_fee", "builderFee"),
            pl.lit(',"tid":'),
            "tid",
            _quoted("cloid"),
            _liquidation(),
            pl.lit(',"feeToken":"USDC"'),
            _quoted("builder"),
            pl.lit(',"twapId":'),
            pl.col("twap").cast(pl.String).fill_null("null"),
            pl.lit("}]"),
        ),
    )
    return events.group_by("ms", maintain_order=True).agg(pl.col("event").str.join(","))


def _quoted(column: str, name: str | None = None) -> pl.Expr:
    """Return ``,"name":"value"``; nothing where there is no value."""
    text = pl.concat_str(pl.lit(f',"{name or column}":"'), column, pl.lit('"'))
    return text.fill_null("")


def _liquidation() -> pl.Expr:
    text = pl.concat_str(
        pl.lit(',"liquidation":{"liquidatedUser":"'),
        "liquidated",
        pl.lit('","markPx":"'),
        "mark",
        pl.lit('","method":"'),
        "method",
        pl.lit('"}'),
    )
    return text.fill_null("")


def _lines(blocks: pl.DataFrame, local_ns: np.ndarray, seed: int) -> list[bytes]:
    """Return the lines of blocks that the node had at ``local_ns``."""
    # Blocks begin within their millisecond.
    within = (scatter(seed, "block", blocks["ms"].to_numpy()) % np.uint64(10**6)).astype("i8")
    text = blocks.select(
        pl.concat_str(
            pl.lit('{"local_time":"'),
            instants(pl.lit(pl.Series(local_ns))),
            pl.lit('","block_time":"'),
            instants(pl.col("ms") * 1_000_000 + pl.lit(pl.Series(within))),
            pl.lit('","block_number":'),
            (pl.col("ms") + BLOCK - 1) // BLOCK,
            pl.lit(',"events":['),
            "event",
            pl.lit("]}\n"),
        ).cast(pl.Binary)
    )
    return text.to_series().to_list()
