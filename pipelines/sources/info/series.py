"""This module translates what the venue keeps as series: candles and funding."""

from datetime import datetime
from typing import Any

from pipelines.sources.errors import SourceError
from pipelines.sources.info.fields import objects

VENUE = "hyperliquid"


def to_candles(answer: Any, coin: str, interval: str, asked_ts: datetime) -> list[dict]:
    """Translate ``candleSnapshot`` to rows of ``candles``, ended bars only.  Pure.

    Parameters
    ----------
    answer
        What the venue said.
    coin, interval
        What was asked for: an answer about something else is refused.
    asked_ts
        When: a bar that has not ended by then will still change.

    Raises
    ------
    SourceError
        If a field is missing or mistyped, or a bar is of another coin or interval.

    Examples
    --------
    >>> bar = {"t": 1681923600000, "T": 1681924499999, "s": "BTC", "i": "15m", "o": "29295.0",
    ...        "h": "29309.0", "l": "29250.0", "c": "29258.0", "v": "0.98639", "n": 189}
    >>> row, = to_candles([bar], "BTC", "15m", datetime.fromisoformat("2026-01-01T00:00Z"))
    >>> row["start_ts"].isoformat(), row["high_px"]
    ('2023-04-19T17:00:00+00:00', 29309.0)
    """
    rows = []
    for each in objects(answer, f"candleSnapshot {coin} {interval}"):
        if (each.text("s"), each.text("i")) != (coin, interval):
            raise SourceError(f"{each.where}: is of {each.value['s']} {each.value['i']}")
        end = each.moment("T")
        if end >= asked_ts:
            continue
        rows.append(
            {
                "venue": VENUE,
                "coin": coin,
                "interval": interval,
                "start_ts": each.moment("t"),
                "open_px": each.decimal("o"),
                "high_px": each.decimal("h"),
                "low_px": each.decimal("l"),
                "close_px": each.decimal("c"),
                "volume": each.maybe_decimal("v"),
            }
        )
    return rows


def to_funding(answer: Any, coin: str) -> list[dict]:
    """Translate ``fundingHistory`` to rows of ``funding``: hourly rates.  Pure.

    >>> to_funding([{"coin": "ETH", "fundingRate": "-0.00022196", "premium": "-0.00052196",
    ...              "time": 1683849600076}], "ETH")[0]["rate"]
    -0.00022196
    """
    rows = []
    for each in objects(answer, f"fundingHistory {coin}"):
        if each.text("coin") != coin:
            raise SourceError(f"{each.where}: is of {each.value['coin']}")
        rows.append(
            {
                "venue": VENUE,
                "coin": coin,
                "time_ts": each.moment("time"),
                "rate": each.decimal("fundingRate"),
                "period_hours": 1.0,
            }
        )
    return rows
