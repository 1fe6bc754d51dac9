"""This module translates what the venue keeps as series: candles and funding.

Hyperliquid docs, "Info endpoint: candle snapshot" and "Perpetuals: historical funding rates"
(read 2026-08-22): the 5,000 most recent candles can be reached, 500 fundings an answer.  Who
asks all the time has a bar when it has ended, and a rate when it is paid.
"""

from datetime import datetime, timedelta
from typing import Any

from pipelines.sources.errors import SourceError, one_line
from pipelines.sources.info.fields import objects

VENUE = "hyperliquid"
CANDLES_AT_ONCE = 5_000
FUNDINGS_AT_ONCE = 500
_LAST_MS = timedelta(milliseconds=1)  # a bar's ``T`` is its last ms, which is not over yet


def to_candles(answer: Any, coin: str, interval: str, asked_ts: datetime) -> list[dict]:
    """Translate ``candleSnapshot`` to ended rows of ``candles``, but for source.  Pure.

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
    >>> row["known_ts"].isoformat()
    '2023-04-19T17:15:00+00:00'
    """
    rows = []
    for each in objects(answer, f"candleSnapshot {coin} {interval}"):
        if (each.text("s"), each.text("i")) != (coin, interval):
            about = one_line(f"{each.value['s']} {each.value['i']}", 60)
            raise SourceError(f"{each.where}: is of {about}")
        start, end = each.moment("t"), each.moment("T")
        if end < start:
            raise each.wrong("T", "after t", each.value["T"])
        if end >= asked_ts:
            continue
        rows.append(
            {
                "venue": VENUE,
                "coin": coin,
                "interval": interval,
                "start_ts": start,
                "open_px": each.above_zero("o"),
                "high_px": each.above_zero("h"),
                "low_px": each.above_zero("l"),
                "close_px": each.above_zero("c"),
                "volume": None if each.value.get("v") is None else each.zero_or_more("v"),
                "known_ts": end + _LAST_MS,
            }
        )
    return rows


def to_funding(answer: Any, coin: str) -> list[dict]:
    """Translate ``fundingHistory`` to rows of ``funding`` but for source: hourly rates.  Pure.

    Raises
    ------
    SourceError
        If a field is missing or mistyped, or a rate is of another coin.

    Examples
    --------
    >>> to_funding([{"coin": "ETH", "fundingRate": "-0.00022196", "premium": "-0.00052196",
    ...              "time": 1683849600076}], "ETH")[0]["rate"]
    -0.00022196
    """
    rows = []
    for each in objects(answer, f"fundingHistory {coin}"):
        if each.text("coin") != coin:
            raise SourceError(f"{each.where}: is of {one_line(each.value['coin'], 60)}")
        at = each.moment("time")
        rows.append(
            {
                "venue": VENUE,
                "coin": coin,
                "time_ts": at,
                "rate": each.decimal("fundingRate"),
                "period_hours": 1.0,
                "known_ts": at,
            }
        )
    return rows
