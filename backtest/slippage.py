"""This module says what market orders give up: by the recorded book, or by the impact law."""

from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from backtest.bars import Bars, as_utc, utc
from backtest.book_walk import Levels, is_sound, walk
from backtest.impact import impact
from backtest.liquidity import read_liquidity
from backtest.market import is_simulated

# Between two the curve is linear: of the root it then misses 4 % at most.
SIZES = (1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6)
BOOK_AGE = np.timedelta64(3_600_000_000, "us")


class SlippageUnknown(LookupError):
    """A bar in which an order may fill has neither a book nor what the law needs."""


@dataclass(frozen=True, slots=True)
class Slippage:
    """What market orders give up, by size.

    Attributes
    ----------
    sizes : float64[k]
        USD, rising.
    curves : float64[r, 2, k]
        Fraction of the price given up by a purchase and by a sale of each size; NaN: not known.
    row : int64[n]
        Which of the curves holds for each bar.
    basis
        Where they come from, in words.
    """

    sizes: np.ndarray
    curves: np.ndarray
    row: np.ndarray
    basis: str

    @classmethod
    def none(cls, n: int) -> "Slippage":
        """Return that nothing is given up, because the caller said so."""
        flat = np.zeros((1, 2, 1))
        return cls(np.ones(1), flat, np.zeros(n, np.int64), "none, as asked")

    def check(self, bars: Bars, used: np.ndarray) -> None:
        """Raise if a curve is impossible, or not known in a bar that may use it.

        Parameters
        ----------
        bars
            Whose curves they are.
        used : bool[n]
            Bars in which an order may fill.

        Raises
        ------
        ValueError
            If a curve is below 0 or infinite.
        SlippageUnknown
            If a bar's curve is not known; the message names coin and bar.
        """
        if ((self.curves < 0) | np.isinf(self.curves)).any():
            raise ValueError("slippage must be 0 or more")
        unknown = used & np.isnan(self.curves).any(axis=(1, 2))[self.row]
        if unknown.any():
            first, more = utc(bars.start[np.argmax(unknown)]), int(unknown.sum()) - 1
            raise SlippageUnknown(
                f"slippage of {bars.coin} is not known for the bar of {first}"
                + (f" and {more} more" if more else "")
                + " (no recorded book, and not both volatility and the venue's volume of the "
                "day before); ingest them, or leave it out (--no-slippage)"
            )


def load_slippage(
    lake: duckdb.DuckDBPyConnection, bars: Bars, *, book_age: np.timedelta64 = BOOK_AGE
) -> Slippage:
    """Read what market orders of each bar give up, from nothing later than its open.

    Parameters
    ----------
    lake
        Catalog of a lake.
    bars
        Bars of the period, without a warm-up.
    book_age
        How old a recorded book may be at the open of the bar.

    Returns
    -------
    Slippage
        A curve a bar, at ``SIZES``.  By the newest book at or before its open; where none is
        young enough, lacks a side or is crossed, by :func:`backtest.impact.impact`; NaN where
        volatility or volume are not known either.

    Notes
    -----
    What an order costs is no signal: books and volumes count as they stand today, whenever
    they were published, as funding does.  Simulated rows serve simulated bars, others others.
    """
    sizes = np.array(SIZES)
    found = read_liquidity(lake, bars)
    law = impact(sizes, found.volatility, found.volume)
    curves = np.repeat(law[:, None, :], 2, axis=1)
    books = _books(lake, bars, book_age)
    books = books.filter(pa.array(is_sound(*_sides(books))))
    bids, asks = _sides(books)
    number, mid = books["number"].to_numpy(), (bids.best + asks.best) / 2
    curves[number, 0], curves[number, 1] = walk(asks, mid, sizes), walk(bids, mid, sizes)
    ages = bars.start[number] - books["book_ts"].to_numpy().astype("datetime64[us]")
    short = np.minimum(bids.coins, asks.coins) * mid < sizes[-1]
    unknown = int(np.isnan(curves).any(axis=(1, 2)).sum())
    basis = _words(len(bars), ages, int(short.sum()), unknown, found.basis)
    return Slippage(sizes, curves, np.arange(len(bars)), basis)


def _books(lake: duckdb.DuckDBPyConnection, bars: Bars, book_age: np.timedelta64) -> pa.Table:
    """Return number of the bar, ``book_ts``, bids and asks of the books that may serve."""
    return lake.sql(
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


def _sides(books: pa.Table) -> tuple[Levels, Levels]:
    return _levels(books["bids"]), _levels(books["asks"])


def _levels(lists: pa.ChunkedArray) -> Levels:
    """Return lists of levels, none of them empty, side by side."""
    column = lists.combine_chunks()
    flat = column.flatten()
    counts = np.diff(column.offsets.to_numpy())
    first = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)[: len(counts)]
    return Levels(flat.field("px").to_numpy(), flat.field("size").to_numpy(), first)


def _words(n: int, ages: np.ndarray, short: int, unknown: int, law: str) -> str:
    """Return how many bars rest on what."""
    parts = []
    if ages.size:
        minutes = float(np.median(ages / np.timedelta64(1, "m")))
        parts.append(
            f"{ages.size} of {n} bars from recorded books (median age {minutes:.0f} min)"
        )
        if short:
            parts[-1] += f", of which {short} end before {SIZES[-1]:,.0f} USD"
    if by_law := n - ages.size - unknown:
        parts.append(f"{by_law} of {n} bars by the impact law on {law}")
    if unknown:
        parts.append(f"{unknown} of {n} bars not known")
    return "; ".join(parts)
