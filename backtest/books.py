"""This module reads recorded order books: those of the opens of bars, and those within them."""

from collections.abc import Iterator
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa

from backtest.bars import Bars, as_utc
from backtest.book_walk import Levels, is_sound
from backtest.market import is_simulated

# Books that are held at once: of 20 levels a side 50 MB.  A day is the least.
MOST_BOOKS = 50_000


class Books(NamedTuple):
    """Books that can be walked, in order of their bars.

    Attributes
    ----------
    number : int64[r]
        Bar that each serves.
    ts : datetime64[us][r]
        UTC.
    bids, asks
        Their sides.
    """

    number: np.ndarray
    ts: np.ndarray
    bids: Levels
    asks: Levels

    @property
    def mid(self) -> np.ndarray:
        """Return the middle of each, USD."""
        return (self.bids.best + self.asks.best) / 2


def at_opens(lake: duckdb.DuckDBPyConnection, bars: Bars, book_age: np.timedelta64) -> Books:
    """Return the newest book at or before the open of each bar, ``book_age`` old at most."""
    found = lake.sql(
        """
        with moments as (
            select
                unnest($moments::timestamptz[]) as open_ts,
                unnest(range(len($moments::timestamptz[]))) as number
        ),

        readings as (
            select book_ts, min(source) as source
            from order_books
            where
                coin = $coin
                and starts_with(source, 'simulated') = $simulated
                and book_ts >= $first and book_ts <= $last
                and day >= ($first at time zone 'UTC')::date
                and day <= ($last at time zone 'UTC')::date
            group by all
        ),

        chosen as (
            select m.number, r.book_ts, r.source
            from moments as m
            asof join readings as r on m.open_ts >= r.book_ts
            where epoch_us(r.book_ts) >= epoch_us(m.open_ts) - $age
        )

        select c.number, c.book_ts::timestamp as book_ts, b.bids, b.asks
        from chosen as c
        inner join order_books as b on b.book_ts = c.book_ts and b.source = c.source
        where
            b.coin = $coin
            and b.day >= ($first at time zone 'UTC')::date
            and b.day <= ($last at time zone 'UTC')::date
            and len(b.bids) > 0 and len(b.asks) > 0
        order by c.number
        """,
        params={
            "coin": bars.coin,
            "simulated": is_simulated(bars.source),
            "moments": [as_utc(moment) for moment in bars.start],
            "first": as_utc(bars.start[0] - book_age),
            "last": as_utc(bars.start[-1]),
            "age": int(book_age / np.timedelta64(1, "us")),
        },
    ).to_arrow_table()
    return _sound(found, found["number"].to_numpy())


def within(lake: duckdb.DuckDBPyConnection, bars: Bars) -> Iterator[Books]:
    """Read all books after the open of each bar and before its end, some days at a time."""
    asked = {
        "coin": bars.coin,
        "simulated": is_simulated(bars.source),
        "first": as_utc(bars.start[0]),
        "last": as_utc(bars.end[-1]),
    }
    days = lake.sql(
        f"select day, count(*) from order_books where {_WITHIN} group by all order by day",
        params=asked,
    ).fetchall()
    for low, high in _chunks(days):
        found = lake.sql(
            f"""
            select book_ts::timestamp as book_ts, bids, asks
            from order_books
            where
                {_WITHIN} and day >= $low and day <= $high
                and len(bids) > 0 and len(asks) > 0
            order by book_ts
            """,
            params={**asked, "low": low, "high": high},
        ).to_arrow_table()
        ts = found["book_ts"].to_numpy().astype("datetime64[us]")
        number = np.searchsorted(bars.start, ts, side="left") - 1
        kept = ts < bars.end[number]
        yield _sound(found.filter(pa.array(kept)), number[kept])


_WITHIN = """
    coin = $coin
    and starts_with(source, 'simulated') = $simulated
    and book_ts > $first and book_ts < $last
    and day >= ($first at time zone 'UTC')::date
    and day <= ($last at time zone 'UTC')::date
"""


def _chunks(days: list[tuple[object, int]]) -> Iterator[tuple[object, object]]:
    """Return the first and last day of each chunk of so many books.

    >>> list(_chunks([(1, 30_000), (2, 20_000), (3, 1), (5, 90_000)]))
    [(1, 2), (3, 3), (5, 5)]
    """
    first, held = 0, 0
    for place, (_, books) in enumerate(days):
        if held and held + books > MOST_BOOKS:
            yield days[first][0], days[place - 1][0]
            first, held = place, 0
        held += books
    if days:
        yield days[first][0], days[-1][0]


def _sound(found: pa.Table, number: np.ndarray) -> Books:
    """Return the books that can be walked."""
    kept = is_sound(_levels(found["bids"]), _levels(found["asks"]))
    found = found.filter(pa.array(kept))
    ts = found["book_ts"].to_numpy().astype("datetime64[us]")
    return Books(number[kept], ts, _levels(found["bids"]), _levels(found["asks"]))


def _levels(lists: pa.ChunkedArray) -> Levels:
    """Return lists of levels, none of them empty, side by side."""
    column = lists.combine_chunks()
    flat = column.flatten()
    counts = np.diff(column.offsets.to_numpy())
    first = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)[: len(counts)]
    return Levels(flat.field("px").to_numpy(), flat.field("size").to_numpy(), first)
