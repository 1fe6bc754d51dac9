"""This module says what market orders give up: by the recorded book, or by the impact law."""

from dataclasses import dataclass

import duckdb
import numpy as np

from backtest.bars import Bars, utc
from backtest.book_walk import walk
from backtest.books import at_opens, within
from backtest.impact import impact, range_volatility
from backtest.liquidity import read_liquidity

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
    forced : int64[n]
        Which holds for exits that the market forces within it: stops, trailing stops,
        liquidations.
    basis
        Where they come from, in words.
    """

    sizes: np.ndarray
    curves: np.ndarray
    row: np.ndarray
    forced: np.ndarray
    basis: str

    @classmethod
    def none(cls, n: int) -> "Slippage":
        """Return that nothing is given up, because the caller said so."""
        flat, rows = np.zeros((1, 2, 1)), np.zeros(n, np.int64)
        return cls(np.ones(1), flat, rows, rows, "none, as asked")

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
        lacks = np.isnan(self.curves).any(axis=(1, 2))
        unknown = used & (lacks[self.row] | lacks[self.forced])
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
    """Read what market orders of each bar give up, and exits that the market forces in it.

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
        Curves at ``SIZES``.  That of a bar knows nothing later than its open: it is of the
        newest book at or before it; where none is young enough, lacks a side or is crossed, of
        :func:`backtest.impact.impact`; NaN where volatility or volume are not known either.
        That of forced exits is, size by size, the worst of it and of all books recorded within
        the bar; where none is, of it and of the law with the bar's own range, if that is more
        than the volatility of the day before.

    Notes
    -----
    What an order costs is no signal: books and volumes count as they stand today, whenever
    they were published, as funding does.  Simulated rows serve simulated bars, others others.
    """
    sizes = np.array(SIZES)
    found = read_liquidity(lake, bars)
    law = impact(sizes, found.volatility, found.volume)
    curves = np.repeat(law[:, None, :], 2, axis=1)
    books = at_opens(lake, bars, book_age)
    curves[books.number, 0] = walk(books.asks, books.mid, sizes)
    curves[books.number, 1] = walk(books.bids, books.mid, sizes)
    ages = bars.start[books.number] - books.ts
    short = np.minimum(books.bids.coins, books.asks.coins) * books.mid < sizes[-1]
    known = ~np.isnan(curves).any(axis=(1, 2))
    unknown = int((~known).sum())
    basis = _words(len(bars), ages, int(short.sum()), unknown, found.basis)
    restless = np.fmax(found.volatility, range_volatility(bars))
    law = impact(sizes, restless, found.volume)
    forced, seen = _forced(lake, bars, curves, law)
    if known.any():
        basis += "; " + _forced_words(known, seen, ~np.isnan(law[:, 0]))
    # A row of its own only where it says more.
    rows, worse = np.arange(len(bars)), (forced > curves).any(axis=(1, 2))
    forced_rows = np.where(worse, len(bars) + np.cumsum(worse) - 1, rows)
    return Slippage(sizes, np.concatenate([curves, forced[worse]]), rows, forced_rows, basis)


def _forced(
    lake: duckdb.DuckDBPyConnection, bars: Bars, curves: np.ndarray, law: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the curves of forced exits, float64[n, 2, k], and which bars had books within.

    Parameters
    ----------
    lake, bars
        As in :func:`load_slippage`.
    curves : float64[n, 2, k]
        Of the opens.
    law : float64[n, k]
        Of bars without a book within.
    """
    sizes = np.array(SIZES)
    forced, seen = curves.copy(), np.zeros(len(bars), bool)
    for books in within(lake, bars):
        if not books.number.size:
            continue
        first = np.flatnonzero(np.diff(books.number, prepend=-1))
        here = books.number[first]
        for side, levels in enumerate((books.asks, books.bids)):
            worst = np.maximum.reduceat(walk(levels, books.mid, sizes), first, axis=0)
            forced[here, side] = np.fmax(forced[here, side], worst)
        seen[here] = True
    forced[~seen] = np.fmax(forced[~seen], law[~seen, None, :])
    return forced, seen


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


def _forced_words(known: np.ndarray, seen: np.ndarray, law: np.ndarray) -> str:
    """Return what exits that the market forces rest on: books within bars, or the law.

    Where the curve of the open is not known, nothing is charged by either.
    """
    kinds = {
        "by the worst book within": known & seen,
        "by the impact law on their own range, if worse": known & ~seen & law,
        "as at their open": known & ~seen & ~law,
        "not known": ~known,
    }
    counts = {name: int(mask.sum()) for name, mask in kinds.items()}
    said = [f"{count} of {seen.size} bars {name}" for name, count in counts.items() if count]
    return "stops and liquidations of " + ", of ".join(said)
