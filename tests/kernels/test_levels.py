"""A coin's maps over many snapshots: in one pass, and position by position."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import levels as naive
from warehouse.kernels.buckets import bucket_low, buckets_of
from warehouse.kernels.levels import cells_of_coin, edges_of, logarithms

WIDTH, FIRST, LAST = 0.5, -2_000, 2_000
EDGES, LOGS, STEP = edges_of(FIRST, LAST, WIDTH), logarithms(), np.log1p(WIDTH / 100)
each = pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "python"])


def cells(moment, size, px, mark, moments, compiled=True, edges=EDGES):
    function = cells_of_coin if compiled else getattr(cells_of_coin, "py_func", cells_of_coin)
    arrays = [np.array(values, dtype=float) for values in (size, px, mark)]
    return function(
        np.array(moment, dtype=np.int64),
        *arrays,
        arrays[1].view(np.int64),
        np.array(moments, dtype=np.int64),
        edges,
        LOGS,
        STEP,
    )


def as_named(index, sums, moments):
    buckets = EDGES.size - 1
    names = ("notional", "weighted", "size", "positions", "top", "squares")
    return {
        (
            moments[at // (2 * buckets)],
            ("long", "short")[at // buckets % 2],
            at % buckets + FIRST,
        ): dict(zip(names, row, strict=True))
        for at, row in zip(index.tolist(), sums.tolist(), strict=True)
    }


edge = st.integers(-600, 600).map(lambda number: float(bucket_low(number, WIDTH)))
beside = st.tuples(edge, st.sampled_from([0.0, np.inf])).map(
    lambda pair: float(np.nextafter(*pair))
)
price = st.floats(0.1, 10.0) | edge | beside | st.sampled_from([np.nan, np.inf, 0.0, -1.0])
size = st.floats(1e-3, 1e3) | st.floats(-1e3, -1e-3)
rows = st.lists(st.tuples(st.integers(0, 5), size, price, st.floats(1, 2)), max_size=20)


@each
@given(rows=rows, moments=st.sets(st.integers(0, 5)).map(sorted))
def test_cells_are_what_the_positions_sum_to(rows, moments, compiled):
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], []]
    index, sums, marks, outside = cells(*columns, moments, compiled)
    wanted, middles = naive.cells_of_coin(*columns, moments, WIDTH)
    found = as_named(index, sums, moments)
    assert outside == 0
    assert list(found) == sorted(found)
    assert found.keys() == wanted.keys()
    for key, said in wanted.items():
        assert found[key] == pytest.approx(said, rel=1e-12)
    told = {at: mark for at, mark in zip(moments, marks, strict=True) if not np.isnan(mark)}
    assert told == pytest.approx(middles, rel=1e-15)


def test_every_edge_and_the_floats_beside_it_fall_as_buckets_of_says():
    edges = np.array([bucket_low(number, WIDTH) for number in range(-1_999, 2_000)])
    px = np.concatenate([edges, np.nextafter(edges, 0), np.nextafter(edges, np.inf)])
    index, _, _, _ = cells(range(px.size), np.ones(px.size), px, px, range(px.size))
    assert (index % (EDGES.size - 1) + FIRST).tolist() == buckets_of(px, WIDTH).tolist()


def test_what_lies_in_no_bucket_is_counted_and_in_no_cell():
    index, sums, _, outside = cells([0, 0, 0], [1, 1, 1], [1e-9, 1.0, 1e9], [1, 1, 1], [0])
    assert (index.size, sums[0, 0], outside) == (1, 1.0, 2)


def test_neighbours_of_other_moments_are_told_apart():
    moments = [10, 20, 30]
    index, sums, marks, _ = cells(
        [10, 20, 30, 20, 30, 10, 15], [1.0] * 7, [2.0] * 7, [5, 6, 7, 8, 9, 7, 1], moments
    )
    assert [sums[row, 3] for row in range(index.size)] == [2.0, 2.0, 2.0]
    assert marks.tolist() == [6.0, 7.0, 8.0]
