"""This module bins one coin's positions, piece by piece, and tells the cells as rows."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from warehouse.contracts.liquidation_levels import LIQUIDATION_LEVELS, WIDTH_PCT
from warehouse.contracts.table import TS
from warehouse.kernels.levels import (
    add_positions,
    clear,
    edges_of,
    logarithms,
    medians,
    tell_cells,
)

# Buckets of 0.5 % from 1e-15 to 1e15 USD: wider than prices can be told apart.
FIRST, LAST = -6_926, 6_926
EDGES, LOGS = edges_of(FIRST, LAST, WIDTH_PCT), logarithms()
STEP = float(np.log1p(WIDTH_PCT / 100.0))
# A snapshot of one instant has one mark, told to the last bits by what each position is worth.
SAME = 1e-13
AMOUNTS = ("px", "size", "notional", "top_account_share", "herfindahl")


class Snapshots(NamedTuple):
    """Snapshots of one source and scope, in order of time."""

    source: str
    scope: str
    moments: np.ndarray  # int64[s], µs
    known: np.ndarray  # int64[s], µs


class Scratch:
    """Memory that one coin after the other is binned in; no two threads share one."""

    def __init__(self, snapshots: Snapshots) -> None:
        """Take what finds the cells of a coin, and none of the cells."""
        buckets = EDGES.size - 1
        self.slots = np.full(buckets * snapshots.moments.size * 2, -1, dtype=np.int32)
        self.index, self.sums = np.empty(0, np.int32), np.empty((0, 6))

    def hold(self, cells: int) -> None:
        """Have memory for so many cells."""
        # What no cell needs takes no memory: the system gives it when it is first touched.
        if self.index.size < cells:
            self.index, self.sums = np.empty(cells, np.int32), np.empty((cells, 6))


class Piece(NamedTuple):
    """Positions of one coin."""

    moment: np.ndarray  # int64[n], µs
    size: np.ndarray
    px: np.ndarray  # NaN: none
    mark: np.ndarray
    known: np.ndarray | None  # int64[n], µs; None: none later than its snapshot

    def some(self, start: int, stop: int) -> "Piece":
        """Return the rows ``[start, stop)``."""
        return Piece(*(None if one is None else one[start:stop] for one in self))


class Cells(NamedTuple):
    """What the positions of one coin sum to, column by column."""

    coin: str
    snapshots: Snapshots  # known: of the coin's rows
    marks: np.ndarray  # median of each snapshot, USD; NaN: none
    outside: int  # prices that lie in no bucket
    place: np.ndarray  # int16[c], of the snapshot
    short: np.ndarray  # int8[c]
    bucket: np.ndarray  # int16[c], from FIRST
    positions: np.ndarray  # int32[c]
    amounts: np.ndarray  # float64[5, c]: AMOUNTS


class Sheet(NamedTuple):
    """The maps of several coins.

    Attributes
    ----------
    rows
        Of ``liquidation_levels``.
    outside
        Of each coin that is left out: how many of its prices lie in no bucket.
    """

    rows: pa.Table
    outside: Counter[str]


def binned(
    coin: str,
    snapshots: Snapshots,
    pieces: Callable[[], Iterable[Piece]],
    many: int,
    scratch: Scratch,
) -> Cells:
    """Bin the positions of a coin.

    Parameters
    ----------
    coin
        Venue symbol.
    snapshots
        Those wanted; rows of others are left out.
    pieces
        Returns the rows, in any order; asked twice where a snapshot has several marks.
    many
        How many rows there are.
    scratch
        Of ``snapshots``; left without a cell, as it came.
    """
    scratch.hold(many)
    known = snapshots.known.copy()
    marks = np.tile((np.inf, -np.inf), (snapshots.moments.size, 1))
    count = outside = 0
    for one in pieces():
        rows = (one.moment, one.size, one.px, one.mark, one.px.view("i8"))
        grid = (snapshots.moments, EDGES, LOGS, STEP)
        cells = (scratch.slots, scratch.index, scratch.sums)
        count, odd = add_positions(*rows, *grid, *cells, marks, count)
        outside += odd
        _add_known(known, snapshots, one)
    index = scratch.index[:count]
    place, short, bucket, positions = (_room(count, kind) for kind in ("i2", "i1", "i2", "i4"))
    amounts = _room(len(AMOUNTS) * count, "f8").reshape(len(AMOUNTS), count)
    told = (place, short, bucket, amounts, positions)
    tell_cells(index, scratch.sums[:count], snapshots.moments.size, *told)
    clear(scratch.slots, index)
    return Cells(
        coin,
        snapshots._replace(known=known),
        _marks(snapshots, pieces, *marks.T),
        outside,
        place,
        short,
        bucket,
        positions,
        amounts,
    )


def _room(many: int, kind: str) -> np.ndarray:
    """Return an array to be written to.

    Arrow keeps memory that was given back; numpy asks the system each time, which then clears
    it page by page: 0.05 s of a day of 1.6 million cells.
    """
    dtype = np.dtype(kind)
    return np.frombuffer(pa.allocate_buffer(many * dtype.itemsize), dtype)


def _marks(
    snapshots: Snapshots,
    pieces: Callable[[], Iterable[Piece]],
    low: np.ndarray,
    high: np.ndarray,
) -> np.ndarray:
    """Return the mark of each snapshot, the median where there are several."""
    if np.all((low > high) | (high - low <= SAME * high)):
        return np.where(low > high, np.nan, low)
    moment, mark = zip(*((one.moment, one.mark) for one in pieces()), strict=True)
    return medians(np.concatenate(moment), np.concatenate(mark), snapshots.moments)


def _add_known(known: np.ndarray, snapshots: Snapshots, one: Piece) -> None:
    """Make ``known`` of each snapshot as late as that of the latest of its rows."""
    if one.known is not None and snapshots.moments.size:
        place = np.searchsorted(snapshots.moments, one.moment)
        place = np.minimum(place, snapshots.moments.size - 1)
        ours = snapshots.moments[place] == one.moment
        np.maximum.at(known, place[ours], one.known[ours])


def sheet_of(cells: Iterable[Cells]) -> Sheet:
    """Return the cells of several coins as rows, without those that would be wrong."""
    told = [one for one in cells if one.place.size or one.outside]
    outside: Counter[str] = Counter()
    for one in told:
        if one.outside:
            outside[one.coin] += one.outside
    return Sheet(_rows([one for one in told if not one.outside]), outside)


def _rows(cells: Sequence[Cells]) -> pa.Table:
    """Return cells as rows of ``liquidation_levels``.

    Words, times and marks are few; they are told by number, as a dictionary.
    """
    if not cells:
        return LIQUIDATION_LEVELS.schema.empty_table()
    count = sum(each.place.size for each in cells)
    # Of each cell: which snapshot of which coin it is of.
    nth, short = _room(count, "i4"), _room(count, "i1")
    at = done = 0
    for each in cells:
        here = slice(done, done + each.place.size)
        np.add(each.place, at, out=nth[here], dtype=np.int32)
        short[here] = each.short
        at, done = at + each.marks.size, here.stop
    of = pa.array(nth)
    lengths = [each.marks.size for each in cells]

    def told(values: pa.Array) -> pa.DictionaryArray:
        # Unsafe: that each number is one of a word need not be looked at for each column again.
        return pa.DictionaryArray.from_arrays(of, values, safe=False)

    def words(some: Sequence[str]) -> pa.DictionaryArray:
        return told(pa.array(np.repeat(np.array(some, dtype=object), lengths), pa.string()))

    known = np.concatenate([each.snapshots.known for each in cells])
    moments = np.concatenate([each.snapshots.moments for each in cells])
    marks = pa.array(np.concatenate([each.marks for each in cells]), from_pandas=True)
    columns = {
        "snapshot_ts": told(pa.array(moments, TS)),
        "source": words([each.snapshots.source for each in cells]),
        "scope": words([each.snapshots.scope for each in cells]),
        "coin": words([each.coin for each in cells]),
        "side": pa.DictionaryArray.from_arrays(short, ["long", "short"]),
        "bucket": pa.chunked_array([each.bucket + np.int16(FIRST) for each in cells]),
        "positions": pa.chunked_array([each.positions for each in cells]),
        "current_px": told(marks),
        "known_ts": told(pa.array(known, TS)),
    }
    columns |= {
        name: pa.chunked_array([each.amounts[nth] for each in cells])
        for nth, name in enumerate(AMOUNTS)
    }
    return pa.table(columns).select(LIQUIDATION_LEVELS.schema.names)
