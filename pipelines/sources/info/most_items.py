"""This module says how long an answer can be, so that its weight is set aside before it comes.

Hyperliquid docs, "Info endpoint" and "Rate limits and user limits" (read 2026-08-22): 500 items
an answer unless stated, 2,000 fills, 5,000 candles.  Of ``recentTrades`` no length is stated;
answers held 10.
"""

from collections.abc import Mapping
from typing import Any

_USUAL, _FILLS, _CANDLES, _TRADES = 500, 2_000, 5_000, 100
_MOST = {
    **dict.fromkeys(("userFills", "userFillsByTime", "historicalOrders"), _FILLS),
    "recentTrades": _TRADES,
}
HOUR = 3_600_000  # ms; funding is paid at most so often
_MINUTES = {"m": 1, "h": 60, "d": 24 * 60}


def most_items(body: Mapping[str, Any]) -> int:
    """Return how many items the answer to a question has at most.

    >>> most_items({"type": "userFills"})
    2000
    >>> day = {"startTime": 0, "endTime": 24 * HOUR - 1}
    >>> most_items({"type": "fundingHistory", "coin": "BTC", **day})
    25
    >>> most_items({"type": "candleSnapshot", "req": {"interval": "1m", **day}})
    1440
    """
    kind = body.get("type", "")
    if kind == "candleSnapshot":
        asked = body.get("req", {})
        return min(_CANDLES, _within(asked, _length(asked.get("interval", "")), _CANDLES))
    if kind == "fundingHistory":
        return min(_USUAL, _within(body, HOUR, _USUAL - 1) + 1)
    return _MOST.get(kind, _USUAL)


def _within(asked: Mapping[str, Any], each: int, most: int) -> int:
    """Return how many times ``each`` ms fit into what is asked for; ``most`` without a span."""
    if not each or "startTime" not in asked or "endTime" not in asked:
        return most
    return max(0, -(-(asked["endTime"] - asked["startTime"]) // each))


def _length(interval: str) -> int:
    """Return the length of a candle, ms; 0: it is not known."""
    count, unit = interval[:-1], interval[-1:]
    return int(count) * _MINUTES[unit] * 60_000 if count.isdigit() and unit in _MINUTES else 0
