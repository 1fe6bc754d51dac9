"""Ticks and slippage: in binary and in a loop as in decimals and by a library."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.kernels.prices import slippage, tick_of
from backtest.ticks import tick_at

digits = st.integers(1, 99_999)
powers = st.integers(-6, 5)


@given(digits=digits, power=powers, size_decimals=st.integers(0, 5))
def test_ticks_are_those_of_the_decimal_rule(digits, power, size_decimals):
    px = Decimal(digits).scaleb(power)
    tick = tick_of(float(px), 6 - size_decimals)
    assert tick == pytest.approx(float(tick_at(px, size_decimals)), rel=1e-12)


@pytest.mark.parametrize("px", [0.001, 1.0, 1_000.0, 1e15])
def test_a_power_of_ten_lies_in_its_own_decade(px):
    assert tick_of(px, 300) == pytest.approx(float(tick_at(Decimal(repr(px)), None)))


@given(notional=st.floats(10, 1e5))
def test_slippage_is_linear_between_sizes(notional):
    sizes, curve = np.array([1e3, 5e3, 1e5]), np.array([0.001, 0.002, 0.01])
    assert slippage(sizes, curve, notional) == pytest.approx(np.interp(notional, sizes, curve))


def test_slippage_beyond_the_last_size_grows_as_its_root():
    sizes, curve = np.array([1e3, 1e4]), np.array([0.001, 0.002])
    assert slippage(sizes, curve, 9e4) == pytest.approx(0.006)
