"""A coin's maps over many snapshots: in one pass, and position by position."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import levels as naive
from warehouse.kernels.buckets import bucket_low, buckets_of
from warehouse.kernels.levels import (
    add_positions,
    clear,
    edges_of,
    logarithms,
    medians,
    tell_cells,
)

WIDTH, FIRST, LAST = 0.5, -2_000, 2_000
EDGES, LOGS, STEP = edges_of(FIRST, LAST, WIDTH), logarithms(), np.log1p(WIDTH / 100)
each = pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "python"])


def cells(moment, size, px, mark, moments, compiled=True, pieces=1):
    """Return {(moment, side, bucket): sums}, marks and prices outside; in some pieces."""

    def run(function):
        return function if compiled else getattr(function, "py_func", function)

    size, px, mark = (np.array(values, dtype=float) for values in (size, px, mark))
    moment, moments = (np.array(values, dtype=np.int64) for values in (moment, moments))
    slots = np.full((EDGES.size - 1) * moments.size * 2, -1, dtype=np.int32)
    index, sums = np.empty(px.size, np.int32), np.empty((px.size, 6))
    few = np.tile((np.inf, -np.inf), (moments.size, 1))
    count = outside = 0
    for some in np.array_split(np.arange(px.size), pieces):
        rows = (moment[some], size[some], px[some], mark[some], px[some].view(np.int64))
        count, odd = run(add_positions)(
            *rows, moments, EDGES, LOGS, STEP, slots, index, sums, few, count
        )
        outside += odd
    marks = run(medians)(moment, mark, moments)
    for at, (low, high) in zip(moments, few, strict=True):
        of = mark[moment == at]
        assert (low, high) == ((of.min(), of.max()) if of.size else (np.inf, -np.inf))
    index, sums = index[:count], sums[:count]
    run(clear)(slots, index)
    assert (slots == -1).all()
    place, short, bucket, positions = (np.empty(count, np.int16) for _ in range(4))
    amounts = np.empty((5, count))
    run(tell_cells)(index, sums, moments.size, place, short, bucket, amounts, positions)
    keys = zip(moments[place].tolist(), short.tolist(), (bucket + FIRST).tolist(), strict=True)
    told = np.vstack([amounts, positions]).T.tolist()
    return dict(zip(keys, told, strict=True)), marks, outside


def as_told(sums):
    """Return what is told of a cell of the obvious version."""
    notional = sums["notional"]
    shares = sums["top"] / notional, sums["squares"] / notional**2
    mean = sums["weighted"] / notional
    return [mean, sums["size"], notional, *shares, sums["positions"]]


edge = st.integers(-600, 600).map(lambda number: float(bucket_low(number, WIDTH)))
beside = st.tuples(edge, st.sampled_from([0.0, np.inf])).map(
    lambda pair: float(np.nextafter(*pair))
)
price = st.floats(0.1, 10.0) | edge | beside | st.sampled_from([np.nan, np.inf, 0.0, -1.0])
size = st.floats(1e-3, 1e3) | st.floats(-1e3, -1e-3)
rows = st.lists(st.tuples(st.integers(0, 5), size, price, st.floats(1, 2)), max_size=20)


@each
@given(
    rows=rows, moments=st.sets(st.integers(0, 5)).map(sorted), pieces=st.sampled_from([1, 3])
)
def test_cells_are_what_the_positions_sum_to(rows, moments, pieces, compiled):
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], []]
    found, marks, outside = cells(*columns, moments, compiled, pieces)
    wanted, middles = naive.cells_of_coin(*columns, moments, WIDTH)
    assert outside == 0
    sides = {
        (at, ("long", "short")[side], bucket): said
        for (at, side, bucket), said in found.items()
    }
    assert sides.keys() == wanted.keys()
    for key, said in wanted.items():
        assert sides[key] == pytest.approx(as_told(said), rel=1e-12)
    known = {at: mark for at, mark in zip(moments, marks, strict=True) if not np.isnan(mark)}
    assert known == pytest.approx(middles, rel=1e-15)


def test_every_edge_and_the_floats_beside_it_fall_as_buckets_of_says():
    edges = np.array([bucket_low(number, WIDTH) for number in range(-1_999, 2_000)])
    px = np.concatenate([edges, np.nextafter(edges, 0), np.nextafter(edges, np.inf)])
    told, _, _ = cells(range(px.size), np.ones(px.size), px, px, range(px.size))
    buckets = {at: bucket for at, _, bucket in told}
    assert [buckets[at] for at in range(px.size)] == buckets_of(px, WIDTH).tolist()


def test_what_lies_in_no_bucket_is_counted_and_in_no_cell():
    told, _, outside = cells([0, 0, 0], [1, 1, 1], [1e-9, 1.0, 1e9], [1, 1, 1], [0])
    assert ([said[2] for said in told.values()], outside) == ([1.0], 2)


def test_neighbours_of_other_moments_are_told_apart():
    moments = [10, 20, 30]
    told, marks, _ = cells(
        [10, 20, 30, 20, 30, 10, 15], [1.0] * 7, [2.0] * 7, [5, 6, 7, 8, 9, 7, 1], moments
    )
    assert [said[5] for said in told.values()] == [2.0, 2.0, 2.0]
    assert marks.tolist() == [6.0, 7.0, 8.0]
