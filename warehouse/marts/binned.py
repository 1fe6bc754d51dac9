"""This module bins one coin's positions, piece by piece, and tells the cells as rows."""

from collections.abc import Sequence
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

    def slots(self) -> np.ndarray:
        """Return what finds the cells of a coin, without any."""
        return np.full((EDGES.size - 1) * self.moments.size * 2, -1, dtype=np.int32)


class Piece(NamedTuple):
    """Positions of one coin."""

    moment: np.ndarray  # int64[n], µs
    size: np.ndarray
    px: np.ndarray  # NaN: none
    mark: np.ndarray
    known: np.ndarray | None  # int64[n], µs; None: none later than its snapshot


class Cells(NamedTuple):
    """What the positions of one coin sum to."""

    coin: str
    snapshots: Snapshots  # known: of the coin's rows
    index: np.ndarray
    sums: np.ndarray
    marks: np.ndarray  # median of each snapshot, USD; NaN: none
    outside: int  # prices that lie in no bucket


def binned(
    coin: str, snapshots: Snapshots, pieces: Sequence[Piece], slots: np.ndarray
) -> Cells:
    """Bin the positions of a coin.

    Parameters
    ----------
    coin
        Venue symbol.
    snapshots
        Those wanted; rows of others are left out.
    pieces
        The rows, in any order.
    slots
        Of ``snapshots``; left as it came.
    """
    many = sum(one.px.size for one in pieces)
    # Of what no cell needs no memory is taken: the system gives it when it is first touched.
    index, sums = np.empty(many, dtype=np.int32), np.empty((many, 6))
    marks = np.tile((np.inf, -np.inf), (snapshots.moments.size, 1))
    cells = outside = 0
    for one in pieces:
        rows = (one.moment, one.size, one.px, one.mark, one.px.view("i8"))
        grid = (snapshots.moments, EDGES, LOGS, STEP)
        cells, odd = add_positions(*rows, *grid, slots, index, sums, marks, cells)
        outside += odd
    clear(slots, index[:cells])
    return Cells(
        coin,
        snapshots._replace(known=_known(snapshots, pieces)),
        index[:cells],
        sums[:cells],
        _marks(snapshots, pieces, *marks.T),
        outside,
    )


def _marks(
    snapshots: Snapshots, pieces: Sequence[Piece], low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """Return the mark of each snapshot, the median where there are several."""
    if np.all((low > high) | (high - low <= SAME * high)):
        return np.where(low > high, np.nan, low)
    moment = np.concatenate([one.moment for one in pieces])
    return medians(moment, np.concatenate([one.mark for one in pieces]), snapshots.moments)


def _known(snapshots: Snapshots, pieces: Sequence[Piece]) -> np.ndarray:
    """Return when the rows of each snapshot were known, with the snapshot itself."""
    known = snapshots.known.copy()
    for one in pieces:
        if one.known is not None and snapshots.moments.size:
            place = np.searchsorted(snapshots.moments, one.moment)
            place = np.minimum(place, snapshots.moments.size - 1)
            ours = snapshots.moments[place] == one.moment
            np.maximum.at(known, place[ours], one.known[ours])
    return known


def rows_of(cells: Sequence[Cells]) -> pa.Table:
    """Return cells as rows of ``liquidation_levels``.

    Words, times and marks are few; they are told by number, as a dictionary.
    """
    stops = np.cumsum([each.index.size for each in cells], dtype=np.int64)
    many = int(stops[-1]) if cells else 0
    if not many:
        return LIQUIDATION_LEVELS.schema.empty_table()
    short, place, bucket, positions, of = (
        np.empty(many, dtype=kind) for kind in ("i1", "i2", "i2", "i4", "i4")
    )
    amounts = np.empty((len(AMOUNTS), many))
    first = 0
    # Of each cell: which snapshot of which coin it is of.
    for each, stop in zip(cells, stops.tolist(), strict=True):
        start = stop - each.index.size
        some = slice(start, stop)
        tell_cells(
            each.index,
            each.sums,
            each.marks.size,
            place[some],
            short[some],
            bucket[some],
            amounts[:, some],
            positions[some],
        )
        np.add(place[some], first, out=of[some], dtype=np.int32)
        first += each.marks.size
    lengths = [each.marks.size for each in cells]

    def told(values: pa.Array) -> pa.DictionaryArray:
        return pa.DictionaryArray.from_arrays(of, values)

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
        "bucket": pa.array(bucket + np.int16(FIRST)),
        "positions": pa.array(positions),
        "current_px": told(marks),
        "known_ts": told(pa.array(known, TS)),
    }
    columns |= dict(zip(AMOUNTS, map(pa.array, amounts), strict=True))
    return pa.table(columns).select(LIQUIDATION_LEVELS.schema.names)
