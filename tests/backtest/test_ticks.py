from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.ticks import price_above, price_below

decimals = st.none() | st.integers(0, 6)
prices = st.floats(1e-3, 1e6)


def allowed(px, size_decimals):
    """The venue's rule, said again on the digits of the number."""
    exact = Decimal(repr(px)).normalize()
    if exact == exact.to_integral_value():
        return True
    places = -exact.as_tuple().exponent
    most = 6 - size_decimals if size_decimals is not None else places
    return len(exact.as_tuple().digits) <= 5 and places <= most


@pytest.mark.parametrize(
    ("px", "size_decimals", "below", "above"),
    [
        (70755.0, 5, 70754.0, 70756.0),  # five figures, no decimals left
        (70755.4, 5, 70754.0, 70757.0),  # off the grid: first rounded towards the entry
        (123456.0, 5, 123455.0, 123457.0),  # six figures: whole numbers are always allowed
        (2274.3, 4, 2274.2, 2274.4),
        (97.566, 2, 97.565, 97.567),
        (10000.0, 5, 9999.9, 10001.0),  # the tick changes at a power of ten
        (9999.9, 5, 9999.8, 10000.0),
        (0.012345, 0, 0.012344, 0.012346),  # six decimals are the most
        (0.012345, 2, 0.0122, 0.0125),  # four decimals are
        (1.2345, None, 1.2344, 1.2346),
        (5.0, 6, 4.0, 6.0),  # no decimals at all
        (0.000002, 0, 0.000001, 0.000003),
        (0.000001, 0, 0.0, 0.000002),  # nothing lies below the last price
    ],
)
def test_by_hand(px, size_decimals, below, above):
    assert price_below(px, size_decimals) == below
    assert price_above(px, size_decimals) == above


@given(px=prices, size_decimals=decimals)
def test_the_price_before_may_be_placed_and_lies_before(px, size_decimals):
    below, above = price_below(px, size_decimals), price_above(px, size_decimals)
    assert 0 <= below < px < above
    assert below == 0 or allowed(below, size_decimals)
    assert allowed(above, size_decimals)


@given(px=prices, size_decimals=decimals)
def test_up_and_down_undo_each_other(px, size_decimals):
    placed = price_above(px, size_decimals)
    assert price_above(price_below(placed, size_decimals), size_decimals) == placed


@pytest.mark.parametrize("px", [0.0, -1.0, float("nan"), float("inf")])
def test_no_price_has_no_neighbour(px):
    with pytest.raises(ValueError, match="must be above 0"):
        price_below(px)
    with pytest.raises(ValueError, match="must be above 0"):
        price_above(px)
