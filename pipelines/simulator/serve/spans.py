"""This module cuts time into the spans of candles."""

from datetime import UTC, datetime

import numpy as np

MINUTE = 60_000  # ms
_DAY = 1440 * MINUTE
# 1970 began on a Thursday; weeks begin on Mondays.
_FIRST_MONDAY = 4 * _DAY
SPANS = {
    "1m": 1,
    "3m": 3,
    "5m": 5,
    "15m": 15,
    "30m": 30,
    "1h": 60,
    "2h": 120,
    "4h": 240,
    "8h": 480,
    "12h": 720,
    "1d": 1440,
    "3d": 4320,
    "1w": 10_080,
    "1M": 0,  # minutes; months have no length
}


def span_starts(interval: str, ms: np.ndarray) -> np.ndarray:
    """Return when the span began that each moment is in; all ms.

    >>> at = np.array([1768053600000])  # Saturday, 2026-01-10T14:00Z
    >>> [int(span_starts(name, at)[0]) for name in ("15m", "1w", "1M")]
    [1768053600000, 1767571200000, 1767225600000]
    """
    if interval == "1M":
        months = ms.astype("datetime64[ms]").astype("datetime64[M]")
        return months.astype("datetime64[ms]").astype(np.int64)
    length = SPANS[interval] * MINUTE
    shift = _FIRST_MONDAY if interval == "1w" else 0
    return (ms - shift) // length * length + shift


def span_end(interval: str, start: int) -> int:
    """Return the last ms of the span that begins at ``start``."""
    if interval != "1M":
        return start + SPANS[interval] * MINUTE - 1
    at = datetime.fromtimestamp(start / 1000, UTC)
    later = at.replace(year=at.year + at.month // 12, month=at.month % 12 + 1)
    return int(later.timestamp()) * 1000 - 1
