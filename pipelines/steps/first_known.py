"""This module keeps one row per grain where a source gives rows more than once."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# Columns that tell how a row was got, not what it says.
ORIGIN = frozenset({"known_ts", "source"})


class Kept(NamedTuple):
    """Rows, how many were dropped, and how many of these said something else."""

    rows: pa.Table
    duplicates: int
    disagreeing: int


def first_known(rows: pa.Table, grain: tuple[str, ...], hint: np.ndarray) -> Kept:
    """Keep of the rows that share a grain the one known first, then the one given first.

    Parameters
    ----------
    rows
        Rows with ``known_ts``, in the order they were given.
    grain
        Columns that identify a row; none is null.
    hint
        One number a row.  Rows that share a grain share it; few others do.  Only rows that
        share it are compared, which is what makes the usual case, no duplicates, cheap.
    """
    ordered = np.sort(hint)
    repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not repeated.size:
        return Kept(rows, 0, 0)
    places = np.flatnonzero(np.isin(hint, repeated))
    some = rows.take(places).append_column("place", pa.array(places))
    some = some.sort_by([(name, "ascending") for name in (*grain, "known_ts", "place")])
    dropped = _repeats(some, grain)
    first = np.maximum.accumulate(np.where(dropped, 0, np.arange(dropped.size)))[dropped]
    told = [name for name in rows.column_names if name not in {*grain, *ORIGIN}]
    pairs = some.filter(pa.array(dropped)).select(told), some.take(first).select(told)
    keep = np.ones(rows.num_rows, dtype=bool)
    keep[some["place"].to_numpy()[dropped]] = False
    return Kept(rows.filter(pa.array(keep)), int(dropped.sum()), _disagreeing(*pairs))


def _repeats(ordered: pa.Table, grain: tuple[str, ...]) -> np.ndarray:
    """Return whether each row has the grain of the row before it."""
    same = np.ones(ordered.num_rows, dtype=bool)
    same[0] = False
    for name in grain:
        values = ordered[name].combine_chunks()
        same[1:] &= pc.equal(values[1:], values[:-1]).to_numpy(zero_copy_only=False)
    return same


def _disagreeing(left: pa.Table, right: pa.Table) -> int:
    """Return how many rows differ from the row beside them; null equals null."""
    differ = np.zeros(left.num_rows, dtype=bool)
    for name in left.column_names:
        nulls = pc.and_(pc.is_null(left[name]), pc.is_null(right[name]))
        equal = pc.or_(pc.fill_null(pc.equal(left[name], right[name]), False), nulls)
        differ |= ~equal.to_numpy()
    return int(differ.sum())
