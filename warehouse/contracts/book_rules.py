"""This module holds the rules of a column whose values are levels of an order book."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.contracts.rules import Rule


def _without(
    values: pa.Array | pa.ChunkedArray, broken: Callable[[pa.Array], np.ndarray]
) -> pa.Array:
    """Return of each list whether none of its levels is ``broken``; a null list has none."""
    lists = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    parents = pc.list_parent_indices(lists).to_numpy()
    kept = np.ones(len(lists), dtype=bool)
    kept[parents[broken(lists)]] = False
    return pa.array(kept)


def _unsound(lists: pa.Array) -> np.ndarray:
    """Return of each level whether it lacks a price, a size, or a sensible count of orders."""
    levels = pc.list_flatten(lists)
    px, size = _numbers(levels, "px"), _numbers(levels, "size")
    # NaN fails every comparison, and so does what is missing.
    sound = (px > 0) & (size >= 0) & np.isfinite(px) & np.isfinite(size)
    orders = pc.struct_field(levels, "orders")
    return ~sound | (_array(pc.fill_null(pc.less(orders, 0), False)))


def _unordered(sign: int) -> Callable[[pa.Array], np.ndarray]:
    """Return the test whether a level is not beyond the one before it in its list."""

    def broken(lists: pa.Array) -> np.ndarray:
        px = sign * _numbers(pc.list_flatten(lists), "px")
        parents = pc.list_parent_indices(lists).to_numpy()
        out = np.zeros(px.size, dtype=bool)
        out[1:] = (parents[1:] == parents[:-1]) & ~(px[1:] > px[:-1])
        return out

    return broken


def _numbers(levels: pa.Array, name: str) -> np.ndarray:
    return _array(pc.fill_null(pc.struct_field(levels, name), float("nan")))


def _array(values: pa.Array) -> np.ndarray:
    return values.to_numpy(zero_copy_only=False)


LEVELS = Rule(
    "must hold levels with a px above 0, a size of 0 or more and no negative orders",
    lambda values: _without(values, _unsound),
)
BIDS_FIRST = Rule(
    "must be best first: each px below the one before it",
    lambda values: _without(values, _unordered(-1)),
)
ASKS_FIRST = Rule(
    "must be best first: each px above the one before it",
    lambda values: _without(values, _unordered(1)),
)
