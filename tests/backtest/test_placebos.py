"""Placebos as pure functions: what each leaves alone, and what it may not see."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.flow import Flow
from backtest.maps import Maps
from backtest.placebos.anchor import anchor_of
from backtest.placebos.distance_only import distance_only, median_so_far
from backtest.placebos.mirrored import mirrored_flow, mirrored_maps
from backtest.placebos.shuffled import Turns, days_of_flow, shuffled_flow, turns
from backtest.placebos.yesterday import yesterdays_flow, yesterdays_maps
from tests.backtest.made import HOUR, START, bars_of


class Book:
    """Positions that stand still from hour 0 on: ``(side, liquidation price, notional)``, of
    which each is a cluster; a snapshot every ``every`` hours, known at once."""

    def __init__(self, held, bars, every=4):
        self.held, self.bars, self.every = held, bars, every

    def __call__(self, asked, moments, px, reach_pct):
        maps = Maps.unknown(px.size)
        for row in np.flatnonzero(asked & (moments >= START)):
            hours = (moments[row] - START) // HOUR
            maps.snapshot_ts[row] = START + hours // self.every * self.every * HOUR
            p, reach = px[row], reach_pct / 100
            above = [(n, -x) for s, x, n in self.held if s < 0 and p < x <= p * (1 + reach)]
            below = [(n, x) for s, x, n in self.held if s > 0 and p * (1 - reach) <= x < p]
            maps.short_above[row] = sum(n for n, _ in above)
            maps.long_below[row] = sum(n for n, _ in below)
            maps.cluster_above[row] = -max(above)[1] if above else np.nan
            maps.cluster_below[row] = max(below)[1] if below else np.nan
        return maps


def told(read, bars, reach=15.0, asked=None):
    asked = np.ones(len(bars), bool) if asked is None else asked
    return read(asked, bars.end, bars.close_px, reach)


def alike(one, two, rows=slice(None)):
    for field in fields(Maps):
        a, b = getattr(one, field.name), getattr(two, field.name)
        if isinstance(a, np.ndarray) and a.dtype.kind == "f":
            np.testing.assert_allclose(a[rows], b[rows], rtol=1e-12)
        elif isinstance(a, np.ndarray):
            assert np.array_equal(a[rows], b[rows], equal_nan=True)


def test_the_price_at_a_snapshot_is_the_newest_close():
    at = anchor_of(bars_of([10.0, 20.0, 30.0]))
    moments = START + np.array([0, 1, 2]) * HOUR + np.array([0, 0, -1])
    assert at(moments).tolist() == [10.0, 10.0, 10.0]
    assert at(START + np.array([2, 9]) * HOUR).tolist() == [20.0, 30.0]
    assert np.isnan(at(np.array(["NaT"], "datetime64[us]")))


def test_a_mirrored_map_by_hand():
    """The price is 100 at the snapshot and 104 now: the mirror stands at 96.15, from which
    longs at 90 are below, and shorts at 97 have come to lie above."""
    bars = bars_of([100.0, 104.0])
    book = Book([(-1, 110.0, 5.0), (-1, 97.0, 2.0), (1, 90.0, 3.0)], bars)
    maps = told(mirrored_maps(book, anchor_of(bars)), bars)
    assert maps.short_above.tolist() == [3.0, 3.0]
    assert maps.long_below.tolist() == [5.0, 7.0]
    assert maps.cluster_above == pytest.approx([1e4 / 90] * 2)
    assert maps.cluster_below == pytest.approx([1e4 / 110] * 2)


prices = st.lists(st.floats(80, 120), min_size=3, max_size=30)
held = st.lists(
    st.tuples(st.sampled_from([-1, 1]), st.floats(60, 150), st.integers(1, 9).map(float)),
    max_size=8,
    unique_by=lambda one: one[1],
)


@given(close=prices, held=held)
def test_mirrored_twice_is_the_map_itself(close, held):
    bars = bars_of(close)
    # A level that equals a price may fall on either side of it by the rounding of a division.
    held = [one for one in held if not np.isclose(one[1], close, rtol=1e-9).any()]
    book, at = Book(held, bars), anchor_of(bars)
    twice = mirrored_maps(mirrored_maps(book, at), at)
    # Far enough that both reaches, of which one is the other's mirror, see all there is.
    alike(told(twice, bars, 85.0), told(book, bars, 85.0))


def test_distance_only_by_hand():
    """Distances of 10 % above and, of logarithms, 10 % below: the median, both ways."""
    bars = bars_of([100.0, 100.0, 112.0, 100.0, 100.0])
    book = Book([(-1, 110.0, 5.0), (1, 100.0 / 1.1, 3.0)], bars)
    maps = told(distance_only(book), bars)
    assert maps.short_above[0] == maps.long_below[0] == 4.0
    assert maps.cluster_above[:2] == pytest.approx([110.0, 110.0])
    assert maps.cluster_below[:2] == pytest.approx([100 / 1.1] * 2)
    # At 112 the upper one has been reached, and a new pair stands around the price.
    assert maps.cluster_below[2] < 112.0 < maps.cluster_above[2]
    assert maps.cluster_above[2] == pytest.approx(112.0 * maps.cluster_above[0] / 100)


def test_a_cluster_of_distance_only_stands_still_while_the_price_moves():
    bars = bars_of([100.0, 103.0, 97.0])
    book = Book([(-1, 110.0, 5.0), (1, 90.0, 3.0)], bars)
    maps = told(distance_only(book), bars)
    assert np.unique(maps.cluster_above).size == np.unique(maps.cluster_below).size == 1


def test_without_clusters_there_is_no_distance():
    bars = bars_of([100.0, 100.0])
    maps = told(distance_only(Book([], bars)), bars)
    assert np.isnan(maps.cluster_above).all()
    assert (maps.short_above == 0).all()


@given(seen=st.lists(st.one_of(st.just(np.nan), st.floats(0, 1)), max_size=30))
def test_the_running_median_is_the_median_of_what_came_before(seen):
    found = median_so_far(np.array(seen, float))
    for row in range(len(seen)):
        known = [one for one in seen[: row + 1] if not np.isnan(one)]
        assert np.isnan(found[row]) if not known else found[row] == np.median(known)


def test_yesterdays_map_is_that_of_24_hours_before_at_todays_price():
    bars = bars_of(np.linspace(100.0, 110.0, 30))
    book = Book([(-1, 108.0, 5.0)], bars)
    maps = told(yesterdays_maps(book), bars)
    assert not maps.known[:23].any()  # the first bar closes at hour 1
    assert maps.snapshot_ts[27] == START + 4 * HOUR
    assert maps.short_above[23] == 5.0  # 107.9 now, whatever the price was then
    assert maps.short_above[29] == 0.0


placebos = st.sampled_from(
    [
        lambda read, bars: mirrored_maps(read, anchor_of(bars)),
        lambda read, bars: distance_only(read),
        lambda read, bars: yesterdays_maps(read),
    ]
)


@given(close=prices, held=held, make=placebos, data=st.data())
def test_no_later_row_changes_what_a_placebo_told(close, held, make, data):
    bars = bars_of(close)
    cut = data.draw(st.integers(1, len(close) - 1))
    asked = np.array(
        data.draw(st.lists(st.booleans(), min_size=len(close), max_size=len(close)))
    )
    later = np.array(close) * np.where(np.arange(len(close)) >= cut, 1.1, 1.0)
    other = bars_of(later)
    one = told(make(Book(held, bars), bars), bars, asked=asked)
    two = told(make(Book(held, other), other), other, asked=asked)
    alike(one, two, slice(0, cut))


def flow_of(n):
    made = np.arange(n, dtype=float)
    return Flow(**{field.name: made + 1000 * place for place, field in enumerate(fields(Flow))})


def test_mirrored_flow_swaps_the_sides_and_nothing_else():
    flow = flow_of(5)
    other = mirrored_flow(flow)
    assert other.long_notional is flow.short_notional
    assert other.short_notional is flow.long_notional
    assert mirrored_flow(other) == flow
    assert replace(other, long_notional=0, short_notional=0) == replace(
        flow, long_notional=0, short_notional=0
    )


def test_yesterdays_flow_by_hand():
    bars = bars_of(np.full(30, 100.0))
    flow = yesterdays_flow(flow_of(30), bars)
    assert np.isnan(flow.velocity[:24]).all()
    assert flow.long_notional[24:].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


def test_shuffled_flow_keeps_the_time_of_day_and_no_day():
    bars = bars_of(np.full(24 * 5, 100.0))
    turned = turns([days_of_flow(bars)], 9, np.random.default_rng(1))
    assert sorted(turned.on) == [1, 2, 3, 4]
    flow = shuffled_flow(flow_of(len(bars)), bars, turned, 0)
    rows = flow.long_notional.astype(int)
    assert sorted(rows) == list(range(len(bars)))
    assert (rows % 24 == np.arange(len(bars)) % 24).all()
    assert (rows // 24 != np.arange(len(bars)) // 24).all()
    assert np.array_equal(flow.short_notional, flow.long_notional + 1000)


def test_one_day_cannot_be_shuffled():
    days = days_of_flow(bars_of(np.full(24, 100.0)))
    assert turns([days], 9, np.random.default_rng(0)).on.size == 0


@given(count=st.integers(2, 40), draws=st.integers(0, 60), seed=st.integers(0, 9))
def test_each_is_another_and_taken_once(count, draws, seed):
    """What follows each other still does, the end and the start apart; no two draws are one."""
    own = START + np.arange(count) * HOUR
    turned = turns([own], draws, np.random.default_rng(seed))
    drawn = [turned.others(own, draw) for draw in range(turned.on.size)]
    assert len({int(one[0]) for one in drawn}) == len(drawn) == min(draws, count - 1)
    for found in drawn:
        assert sorted(found) == list(range(count))
        assert (found != np.arange(count)).all()
        assert (np.diff(found) % count == 1).all()


def test_coins_are_shuffled_by_the_same_moments():
    """Where both have a map both take that of the same moment; else the newest by then."""
    of_one = START + np.array([0, 1, 2, 3, 4, 5]) * HOUR
    of_two = START + np.array([1, 4]) * HOUR
    turned = Turns(np.union1d(of_one, of_two), np.array([3, 1]))
    for draw, on in enumerate((3, 1)):
        one, two = (own[turned.others(own, draw)] for own in (of_one, of_two))
        assert ((one - of_one) / HOUR % 6 == on).all()
        for own, taken in zip(of_two, two, strict=True):
            moment = one[of_one == own][0]
            before = of_two[of_two <= moment]
            assert taken == (before[-1] if before.size else of_two[-1])
    alike = turned.others(of_one[1:5:3], 0)
    assert alike.tolist() == turned.others(of_two, 0).tolist() == [1, 0]
