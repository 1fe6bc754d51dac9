"""This module keeps candles of every interval, the newest 5,000 of each, as minutes come in.

A candle's prices are those of the book: its trades, and its middle at each mark.  Made-up
accounts trade more rarely than the venue's, and a candle of their trades alone would stand
still while the market moved; its volume and count are of trades only.
"""

from typing import Any, NamedTuple

import numpy as np

from pipelines.simulator.serve.growing import Growing, growing
from pipelines.simulator.serve.numbers import px_text, size_text
from pipelines.simulator.serve.spans import MINUTE, span_end, span_starts

MOST = 5_000
OPEN, HIGH, LOW, CLOSE, VOLUME, TRADES, MINUTES = range(7)
_NO_LOW = np.int64(2**62)


class Candles(NamedTuple):
    """The candles of one interval.

    Attributes
    ----------
    interval
        Its name.
    starts
        int64: ms, of the candles that are over.
    values
        int64[candles, coins, 7]: prices in units, lots, trades, and how many minutes of it the
        coin was listed.
    now_start, now
        The candle that goes on.
    """

    interval: str
    starts: Growing
    values: Growing
    now_start: int
    now: np.ndarray

    def after(self, minutes: np.ndarray, starts: np.ndarray) -> "Candles":
        """Return these candles after minutes that follow; see :func:`minutes_of`."""
        spans, first = np.unique(span_starts(self.interval, starts), return_index=True)
        new = _joined(minutes, first)
        if len(spans) and spans[0] == self.now_start:
            new[0] = _joined(np.stack([self.now, new[0]]), np.array([0]))[0]
        elif len(spans):
            new = np.concatenate([self.now[None], new])
            spans = np.concatenate([[self.now_start], spans])
        else:
            return self
        return Candles(
            self.interval,
            self.starts.after(spans[:-1], MOST),
            self.values.after(new[:-1], MOST),
            int(spans[-1]),
            new[-1],
        )


def candles_of(interval: str, minutes: np.ndarray, starts: np.ndarray) -> Candles:
    """Return the candles of a world's first minutes; there is at least one."""
    spans, first = np.unique(span_starts(interval, starts), return_index=True)
    new = _joined(minutes, first)
    return Candles(
        interval,
        growing(spans[:-1][-MOST:]),
        growing(new[:-1][-MOST:]),
        int(spans[-1]),
        new[-1],
    )


def minutes_of(contexts: np.ndarray, coins: int) -> tuple[np.ndarray, np.ndarray]:
    """Return minutes as candles of their own, int64[minutes, coins, 7], and their starts."""
    rows = contexts.reshape(-1, coins)
    out = np.empty((len(rows), coins, 7), np.int64)
    for place, name in enumerate(("open", "high", "low", "close", "volume", "trades")):
        out[..., place] = rows[name]
    out[..., MINUTES] = rows["listed"]
    gone = rows["listed"] == 0
    out[gone] = 0
    out[..., LOW][gone] = _NO_LOW
    return out, rows["ms"][:, 0] - MINUTE


def _joined(rows: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Return one candle for each stretch of rows that begins at ``first``."""
    if not len(first):
        return rows[:0]
    out = np.empty((len(first), *rows.shape[1:]), np.int64)
    out[..., OPEN] = rows[first][..., OPEN]
    out[..., HIGH] = np.maximum.reduceat(rows[..., HIGH], first)
    out[..., LOW] = np.minimum.reduceat(rows[..., LOW], first)
    for place in (VOLUME, TRADES, MINUTES):
        out[..., place] = np.add.reduceat(rows[..., place], first)
    # A coin is delisted once and for all: the last row that has it is found by counting.
    there = np.add.reduceat((rows[..., MINUTES] > 0).astype(np.int64), first)
    last = first[:, None] + np.maximum(there, 1) - 1
    out[..., CLOSE] = np.take_along_axis(rows[..., CLOSE], last, 0)
    return out


def candle_rows(
    candles: Candles, c: int, name: str, size_decimals: int, since: int, until: int
) -> list[dict[str, Any]]:
    """Return a coin's candles that overlap ``since`` to ``until``, ms, as the venue does.

    The recorded answers begin with the candle that ``since`` falls into.
    """
    starts = np.append(candles.starts.rows, candles.now_start)[-MOST:]
    values = np.concatenate([candles.values.rows, candles.now[None]])[-MOST:, c]
    low = int(span_starts(candles.interval, np.array([since]))[0])
    at = np.flatnonzero((starts >= low) & (starts <= until) & (values[:, MINUTES] > 0))
    rows = []
    for start, row in zip(starts[at].tolist(), values[at].tolist(), strict=True):
        rows.append(
            {
                "t": start,
                "T": span_end(candles.interval, start),
                "s": name,
                "i": candles.interval,
                "o": px_text(_on_tick(row[OPEN], size_decimals), size_decimals),
                "c": px_text(_on_tick(row[CLOSE], size_decimals), size_decimals),
                "h": px_text(_on_tick(row[HIGH], size_decimals), size_decimals),
                "l": px_text(_on_tick(row[LOW], size_decimals), size_decimals),
                "v": size_text(row[VOLUME], size_decimals),
                "n": row[TRADES],
            }
        )
    return rows


def _on_tick(px: int, size_decimals: int) -> int:
    """Return the tick nearest to a price in units: a middle may lie between two."""
    step = 10 ** min(max(0, len(str(px)) - 5), 6 - size_decimals)
    return (px + step // 2) // step * step
