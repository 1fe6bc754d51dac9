import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.maps import Maps
from backtest.strategies.asymmetry_filter import asymmetry_filter
from backtest.strategies.breakout import breakout
from backtest.strategies.cluster_take_profit import cluster_targets

NAN = float("nan")
TS = np.datetime64("2026-01-02", "us")


def maps(above=(), below=(), cluster_above=(), cluster_below=()):
    n = max(map(len, (above, below, cluster_above, cluster_below)))
    columns = [
        np.array(values if len(values) else [NAN] * n, float)
        for values in (above, below, cluster_above, cluster_below)
    ]
    return Maps(np.full(n, TS), *columns)


def test_a_breakout_looks_at_closes_against_earlier_extremes():
    high = np.array([10.0, 12.0, 11.0, 15.0, 12.5, 12.0])
    low = np.array([8.0, 9.0, 9.0, 10.0, 10.0, 7.0])
    close = np.array([9.0, 11.0, 10.0, 12.0, 12.1, 8.9])
    # Bar 3 closes on the range's high of 12 (not beyond); bar 5 under its low of 9.
    assert breakout(high, low, close, 3).tolist() == [0, 0, 0, 0, 0, -1]
    close[3] = 12.01
    assert breakout(high, low, close, 3).tolist() == [0, 0, 0, 1, 0, -1]


def test_a_breakout_needs_its_whole_range():
    rising = np.arange(1.0, 6.0)
    assert breakout(rising, rising, rising, 5).tolist() == [0] * 5
    assert breakout(rising, rising, rising, 4).tolist() == [0, 0, 0, 0, 1]
    with pytest.raises(ValueError, match="lookback 0"):
        breakout(rising, rising, rising, 0)


walks = st.lists(st.integers(90, 110).map(float), min_size=1, max_size=30).map(np.array)


@given(close=walks, lookback=st.integers(1, 6), cut=st.integers(1, 30))
def test_a_later_bar_changes_no_earlier_signal(close, lookback, cut):
    whole = breakout(close + 1, close - 1, close, lookback)
    part = close[:cut]
    assert breakout(part + 1, part - 1, part, lookback).tolist() == whole[:cut].tolist()


@given(close=walks, lookback=st.integers(1, 6))
def test_a_breakout_down_is_one_up_in_the_mirror(close, lookback):
    here = breakout(close + 1, close - 1, close, lookback)
    there = breakout(201 - close, 199 - close, 200 - close, lookback)
    assert (here == -there).all()


def test_the_filter_wants_the_larger_magnet_ahead():
    side = np.array([1, 1, 1, -1, -1, 0], np.int8)
    seen = maps(above=[200, 199, 0, 100, 101, 900], below=[100, 100, 0, 200, 200, 100])
    assert asymmetry_filter(side, seen, 2.0).tolist() == [1, 0, 0, -1, 0, 0]
    assert asymmetry_filter(side, seen, 1.0).tolist() == [1, 1, 0, -1, -1, 0]


def test_the_filter_refuses_where_nothing_lies_ahead_or_no_map_is_known():
    side = np.array([1, -1], np.int8)
    assert asymmetry_filter(side, maps(above=[0, 0], below=[0, 0]), 1.0).tolist() == [0, 0]
    assert asymmetry_filter(side, Maps.unknown(2), 0.0).tolist() == [0, 0]


@pytest.mark.parametrize("ratio", [-1.0, NAN])
def test_a_ratio_below_0_is_refused(ratio):
    with pytest.raises(ValueError, match="min_ratio"):
        asymmetry_filter(np.ones(1), Maps.unknown(1), ratio)


def test_a_target_lies_one_tick_before_the_cluster():
    side = np.array([1, -1, 1, -1, 0], np.int8)
    seen = maps(
        cluster_above=[105.003, 1, NAN, 1, 105.0], cluster_below=[1, 95.003, 1, NAN, 95.0]
    )
    np.testing.assert_array_equal(
        cluster_targets(side, seen, 4), [104.99, 95.02, NAN, NAN, NAN]
    )
    # Without size decimals only five figures bind.
    np.testing.assert_array_equal(cluster_targets(side, seen, None)[:2], [104.99, 95.004])
