import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rows import batch
from warehouse.contracts.book_rules import ASKS_FIRST, BIDS_FIRST, LEVELS
from warehouse.contracts.books import LEVEL
from warehouse.contracts.table import ContractError
from warehouse.contracts.tables import ORDER_BOOKS

AT = datetime(2026, 1, 2, tzinfo=UTC)


def side(*levels):
    return [
        dict(zip(("px", "size", "orders"), (*level, None)[:3], strict=True)) for level in levels
    ]


BIDS, ASKS = side((100.0, 2.0, 1), (99.5, 0.0)), side((101.0, 1.0, 3))


def book(coin="BTC", bids=BIDS, asks=ASKS, at=AT):
    row = {"coin": coin, "book_ts": at, "bids": bids, "asks": asks}
    return row | {"source": "test", "known_ts": at}


def check(*rows):
    return ORDER_BOOKS.check(batch(ORDER_BOOKS, rows))


def lists(*sides):
    """Return sides as a column in which anything may be missing."""
    level = pa.struct([(field.name, field.type) for field in LEVEL])
    return pa.array(sides, pa.list_(level))


def test_books_come_back_as_they_were_and_sorted_by_grain():
    given = [book("ETH"), book("BTC", at=AT + timedelta(minutes=1)), book("BTC", [], [])]
    assert check(*given).to_pylist() == [given[2], given[1], given[0]]


def test_books_may_come_from_polars():
    frame = pl.DataFrame(batch(ORDER_BOOKS, [book(), book("ETH")]))
    assert ORDER_BOOKS.check(frame.to_arrow()).to_pylist() == [book(), book("ETH")]


@pytest.mark.parametrize(
    ("bids", "says"),
    [
        (side((0.0, 1.0)), "must hold levels with a px above 0"),
        (side((2.0, 1.0), (-1.0, 1.0)), "must hold levels with a px above 0"),
        (side((math.nan, 1.0)), "must hold levels with a px above 0"),
        (side((math.inf, 1.0)), "must hold levels with a px above 0"),
        (side((1.0, -1.0)), "must hold levels with .* a size of 0 or more"),
        (side((1.0, math.nan)), "must hold levels with .* a size of 0 or more"),
        (side((1.0, math.inf)), "must hold levels with .* a size of 0 or more"),
        (side((1.0, 1.0, -1)), "must hold levels with .* no negative orders"),
        (side((1.0, 1.0), (2.0, 1.0)), "must be best first: each px below the one before"),
        (side((2.0, 1.0), (2.0, 1.0)), "must be best first: each px below the one before"),
    ],
)
def test_a_broken_level_names_its_book(bids, says):
    with pytest.raises(ContractError, match=rf"order_books\.bids: {says}.* in row 2 \(coin=C"):
        check(book("A"), book("B", []), book("C", bids), book("D"))


def test_asks_rise():
    with pytest.raises(ContractError, match=r"order_books\.asks: must be best first: .* above"):
        check(book(), book("ETH", asks=side((2.0, 1.0), (1.0, 1.0))))


def test_the_first_px_of_a_book_is_not_held_against_the_last_of_another():
    rising = [book(f"C{n}", side((10.0 + n, 1.0)), side((30.0 - n, 1.0))) for n in range(5)]
    assert check(*rising).num_rows == 5


def test_a_coin_has_one_book_at_a_moment():
    with pytest.raises(ContractError, match="one row per coin, book_ts, source"):
        check(book(), book(bids=[]))


@pytest.mark.parametrize(
    "broken",
    [[None], [{"px": None, "size": 1.0}], [{"px": 1.0, "size": None}]],
    ids=["level", "px", "size"],
)
def test_what_a_level_may_not_lack(broken):
    column = lists(side((2.0, 1.0)), [], broken)
    assert LEVELS.first_break(column) == 2
    assert LEVELS.first_break(column.slice(2)) == 0
    assert LEVELS.first_break(column.slice(0, 2)) is None
    assert LEVELS.first_break(pa.chunked_array([column.slice(0, 1), column.slice(1)])) == 2


def test_a_side_that_is_missing_breaks_no_rule_of_levels():
    column = lists(None, [], None)
    for rule in (LEVELS, BIDS_FIRST, ASKS_FIRST):
        assert rule.first_break(column) is None


numbers = st.sampled_from([-1.0, 0.0, 1.0, 2.0, 3.0, math.nan, math.inf])
levels = st.tuples(numbers, numbers, st.none() | st.integers(-1, 2))


@given(st.lists(st.lists(levels, max_size=4), max_size=5))
def test_agrees_with_the_obvious_version(given):
    def sound(px, size, orders):
        good = 0 < px < math.inf and 0 <= size < math.inf
        return good and (orders is None or orders >= 0)

    def first(broken):
        return next((row for row, each in enumerate(given) if broken(each)), None)

    column = lists(*(side(*each) for each in given))
    pxs = [[px for px, _, _ in each] for each in given]
    assert LEVELS.first_break(column) == first(
        lambda each: not all(sound(*one) for one in each)
    )
    for rule, sign in ((BIDS_FIRST, -1), (ASKS_FIRST, 1)):
        falls = [not all(sign * b > sign * a for a, b in pairwise(each)) for each in pxs]
        assert rule.first_break(column) == (falls.index(True) if True in falls else None)
