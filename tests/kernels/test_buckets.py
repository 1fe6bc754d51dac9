"""The one definition of a bucket: compiled, interpreted, walked by hand and in SQL."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import buckets as naive
from warehouse.catalog import open_lake
from warehouse.kernels.buckets import NO_BUCKET, bin_by_time, bucket_low, buckets_of

WIDTHS = (0.1, 0.5, 1.0, 2.5, 10.0, 100.0)
each = pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "python"])


def as_is(function, compiled):
    return function if compiled else getattr(function, "py_func", function)


@st.composite
def books(draw):
    """Prices at random, on edges, and one step of a float beside them; and those without."""
    width = draw(st.sampled_from(WIDTHS))
    reach = int(np.log(1e4) / np.log1p(width / 100.0))  # the walk of the twin is long beyond
    edge = st.integers(-reach, reach).map(lambda k: float(bucket_low(k, width)))
    beside = st.tuples(edge, st.sampled_from([0.0, np.inf])).map(lambda e: np.nextafter(*e))
    odd = st.sampled_from([np.nan, np.inf, -np.inf, 0.0, -0.0, -1.0, 1.0])
    price = st.floats(1e-4, 1e4) | edge | beside.map(float) | odd
    return np.array(draw(st.lists(price, max_size=12)), dtype=float), width


@each
@given(book=books())
def test_buckets_agree_with_the_walk(compiled, book):
    px, width = book
    assert as_is(buckets_of, compiled)(px, width).tolist() == naive.buckets_of(px, width)


@given(book=books())
def test_a_price_lies_in_its_bucket(book):
    px, width = book
    for price, bucket in zip(px, buckets_of(px, width), strict=True):
        if bucket == NO_BUCKET:
            assert not 0 < price < np.inf
        else:
            assert bucket_low(bucket, width) <= price < bucket_low(bucket + 1, width)


@pytest.mark.parametrize("width", WIDTHS)
def test_an_edge_opens_its_own_bucket(width):
    numbers = np.arange(-400, 400)
    edges = np.array([bucket_low(k, width) for k in numbers])
    assert buckets_of(edges, width).tolist() == numbers.tolist()
    assert buckets_of(np.nextafter(edges, 0), width).tolist() == (numbers - 1).tolist()


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    return open_lake(tmp_path_factory.mktemp("lake"))


@pytest.mark.parametrize("width", WIDTHS)
def test_sql_and_kernel_say_the_same(con, width):
    random = np.exp(np.random.default_rng(1).uniform(np.log(1e-9), np.log(1e9), 20_000))
    last = int(20 / np.log1p(width / 100.0))
    edges = np.array([bucket_low(k, width) for k in range(-last, last, max(1, last // 2000))])
    px = np.concatenate([random, edges, np.nextafter(edges, 0), np.nextafter(edges, np.inf)])
    prices = {"px": px}  # noqa: F841  read by name in the SQL below
    rows = con.execute("select bucket_of(px, $width) from prices", {"width": width}).fetchall()
    assert [bucket for (bucket,) in rows] == buckets_of(px, width).tolist()


def test_sql_has_no_bucket_for_no_price(con):
    assert con.execute("select bucket_of(null::double, 0.5)").fetchone() == (None,)


@each
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(-4, 8), st.floats(0, 1e9)), max_size=30)
)
def test_grids_agree_with_the_obvious_version(compiled, rows):
    column = np.array([row[0] for row in rows], dtype=np.int64)
    bucket = np.array([NO_BUCKET if row[1] == -4 else row[1] for row in rows], dtype=np.int64)
    notional = np.array([row[2] for row in rows], dtype=float)
    grid = as_is(bin_by_time, compiled)(column, bucket, notional, -2, 4, 6)
    np.testing.assert_allclose(grid, naive.bin_by_time(column, bucket, notional, -2, 4, 6))
    on_grid = (bucket >= -2) & (bucket < 4)
    assert grid.sum() == pytest.approx(notional[on_grid].sum())
