"""What market orders give up: by hand, beside the twin, and whatever comes later."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.bars import Bars
from backtest.book_walk import Levels, walk
from backtest.decisions import Decisions
from backtest.impact import day_volatility, day_volume, impact
from backtest.leg import Leg
from backtest.market import load_bars
from backtest.slippage import SIZES, Slippage, SlippageUnknown, load_slippage
from tests.backtest.small_lake import at, land_bars, land_book, land_context
from tests.backtest.small_lake import walk as random_bars
from tests.reference import costs as twin
from warehouse.catalog import open_lake

BUY, SELL = 0, 1
# Mid 100; of 1,000 USD, 10 coins: 4 at 101 and 6 at 102; or 10 at 99.
BIDS, ASKS = [(99.0, 15.0), (98.0, 5.0)], [(101.0, 4.0), (102.0, 16.0)]
AT = SIZES.index


def moment(hours):
    return np.datetime64(at(hours).replace(tzinfo=None), "us")


def load(root, since, until, coin="BTC", **more):
    con = open_lake(root)
    return load_slippage(con, load_bars(con, coin, moment(since), moment(until)), **more)


def levels(books):
    flat = [level for book in books for level in book]
    first = np.cumsum([0, *map(len, books)])[:-1]
    px, size = (np.array(column) for column in zip(*flat, strict=True))
    return Levels(px, size, first)


def test_a_book_walked_by_hand(tmp_path):
    land_bars(tmp_path, [(100.0, 101.0, 99.0, 100.0)] * 3)
    land_book(tmp_path, 0.75, BIDS, ASKS)
    found = load(tmp_path, 1, 2)
    curve = found.curves[0]
    assert curve[BUY, AT(1e3)] == pytest.approx((4 * 101 + 6 * 102) / 10 / 100 - 1)
    assert curve[SELL, AT(1e3)] == pytest.approx(0.01)
    # All 20 coins: 2,000 USD; beyond them the last average grows as the root.
    assert curve[BUY, AT(2e3)] == pytest.approx((4 * 101 + 16 * 102) / 20 / 100 - 1)
    sold = 1 - (15 * 99 + 5 * 98) / 20 / 100
    assert curve[SELL, AT(2e3)] == pytest.approx(sold)
    assert curve[SELL, AT(2e5)] == pytest.approx(sold * 10)
    assert (np.diff(found.curves[0], axis=1) >= -1e-15).all()
    assert found.basis == (
        "1 of 1 bars from recorded books (median age 15 min), "
        "of which 1 end before 1,000,000 USD; "
        "stops and liquidations of 1 of 1 bars as at their open"
    )


def test_the_law_by_hand(tmp_path):
    """Six hours of 1 % up and down: 24 e-4 a day; and 2.4 million coins at 100 a day."""
    up = 100 * np.exp(0.01)
    closes = [up, 100.0] * 3
    bars = [
        (a, max(a, b), min(a, b), b) for a, b in zip([100.0, *closes], closes, strict=False)
    ]
    land_bars(tmp_path, [*bars, (100.0, 100.0, 100.0, 100.0)], volume=1e5)
    land_context(tmp_path, 5.5, volume=4e8)
    found = load(tmp_path, 6, 7)
    wanted = 1e-4 + np.sqrt(24e-4) * np.sqrt(np.array(SIZES) / 4e8)
    np.testing.assert_allclose(found.curves[0], [wanted, wanted], rtol=1e-12)
    assert found.basis == (
        "1 of 1 bars by the impact law on the volume that the venue says; stops and "
        "liquidations of 1 of 1 bars by the impact law on their own range, if worse"
    )
    # From five hours alone nothing is said.
    assert np.isnan(load(tmp_path, 5, 6).curves).all()


def test_a_volume_counts_for_two_hours_and_then_the_candles_do(tmp_path):
    px = [100 * 1.01**h for h in range(13)]
    bars = [(a, b, a, b) for a, b in pairwise(px)]
    land_bars(tmp_path, bars, volume=1e5)
    land_context(tmp_path, 7, volume=1e3)
    found = load(tmp_path, 8, 11)
    said, still, counted = found.curves[:, BUY, 0]
    assert said == pytest.approx(still)
    assert said > 100 * counted
    assert "says or the volume of its candles" in found.basis


@pytest.mark.parametrize(
    ("bids", "asks"), [([], ASKS), (BIDS, []), ([(101.0, 1.0)], ASKS), ([(99.0, 0.0)], ASKS)]
)
def test_a_book_that_cannot_be_walked_leaves_it_to_the_law(tmp_path, bids, asks):
    land_bars(tmp_path, [(100.0, 101.0, 99.0, 100.5)] * 9, volume=1e5)
    law = load(tmp_path, 8, 9)
    land_book(tmp_path, 7.9, bids, asks)
    odd = load(tmp_path, 8, 9)
    np.testing.assert_array_equal(odd.curves, law.curves)
    assert odd.basis == law.basis


def test_books_and_volumes_of_another_market_are_not_used(tmp_path):
    """A simulated book, another coin's, and the volume of another venue's candles."""
    land_bars(tmp_path, [(100.0, 101.0, 99.0, 100.5)] * 9, venue="okx", volume=1e5)
    land_book(tmp_path, 7.9, BIDS, ASKS, source="simulated")
    land_book(tmp_path, 7.9, BIDS, ASKS, coin="ETH")
    land_context(tmp_path, 7.9, volume=1e9, source="simulated")
    assert np.isnan(load(tmp_path, 8, 9).curves).all()
    # Hyperliquid's own candles, though the prices replayed are not its.
    land_bars(tmp_path, [(100.0, 101.0, 99.0, 100.5)] * 8, volume=1e5)
    con = open_lake(tmp_path)
    bars = load_bars(con, "BTC", moment(8), moment(9), venue="okx")
    assert "impact law on the volume of its candles" in load_slippage(con, bars).basis


def test_a_book_is_too_old_after_an_hour_or_what_is_asked(tmp_path):
    land_bars(tmp_path, [(100.0, 101.0, 99.0, 100.0)] * 4)
    land_book(tmp_path, 1, BIDS, ASKS)
    assert np.isnan(load(tmp_path, 1, 4).curves[:, 0, 0]).tolist() == [False, False, True]
    none = load(tmp_path, 1, 4, book_age=np.timedelta64(30, "m"))
    assert np.isnan(none.curves[:, 0, 0]).tolist() == [False, True, True]
    assert "; 2 of 3 bars not known; " in none.basis


def test_what_comes_after_the_open_changes_nothing(tmp_path):
    bars = random_bars(40)
    land_bars(tmp_path, bars[:30], volume=1e5)
    land_book(tmp_path, 26.5, BIDS, ASKS)
    land_context(tmp_path, 24, volume=3e8)
    before = load(tmp_path, 8, 30)
    land_bars(tmp_path, bars, volume=1e5)
    land_book(tmp_path, 29.001, [(50.0, 1.0)], [(150.0, 1.0)])
    land_context(tmp_path, 29.001, volume=1.0)
    after = load(tmp_path, 8, 40)
    np.testing.assert_array_equal(before.curves[before.row], after.curves[after.row[:22]])
    assert after.curves[22, BUY, 0] > 0.4
    # The bar's own close, high and low are not known at its open either.
    moved = [*bars[:29], (bars[29][0], 500.0, 1.0, 400.0)]
    land_bars(tmp_path, moved, volume=1e5)
    again = load(tmp_path, 8, 30)
    np.testing.assert_array_equal(before.curves[before.row], again.curves[again.row])


def test_a_book_counts_however_late_it_was_published(tmp_path):
    land_bars(tmp_path, [(100.0, 101.0, 99.0, 100.0)] * 3)
    land_book(tmp_path, 1, BIDS, ASKS, known=900)
    assert np.isfinite(load(tmp_path, 1, 2).curves).all()


@st.composite
def a_side(draw, sign):
    gaps = draw(st.lists(st.floats(0.01, 2.0), min_size=1, max_size=6))
    px = 100 + sign * np.cumsum(gaps)
    return [(float(p), draw(st.floats(0.1, 400.0))) for p in px]


@given(books=st.lists(st.tuples(a_side(-1), a_side(1)), min_size=1, max_size=4))
def test_books_are_walked_as_level_by_level(books):
    sizes = np.array(SIZES)
    bids, asks = levels([b for b, _ in books]), levels([a for _, a in books])
    mid = (bids.best + asks.best) / 2
    for side, bought in ((asks, True), (bids, False)):
        fast = walk(side, mid, sizes)
        slow = [[twin.walked(*book, size, bought) for size in SIZES] for book in books]
        np.testing.assert_allclose(fast, slow, rtol=1e-9, atol=1e-13)
        assert (np.diff(fast, axis=1) >= -1e-12).all()


@given(
    seed=st.integers(0, 999),
    holes=st.sets(st.integers(0, 59), max_size=40),
    unsaid=st.sets(st.integers(0, 59), max_size=20),
)
def test_the_law_is_worked_out_as_row_by_row(seed, holes, unsaid):
    hour = np.timedelta64(3_600_000_000, "us")
    kept = [h for h in range(60) if h not in holes]
    rows = [(h, *random_bars(60, seed)[h]) for h in kept]
    volume = [np.nan if h in unsaid else 10.0 + h for h in kept]
    start, *px = (np.array(column) for column in zip(*rows, strict=True))
    begin = np.datetime64("2026-01-01", "us")
    bars = Bars("BTC", "v", "s", "1h", hour, begin + start * hour, *px, np.array(volume))
    moments = np.arange(0, 61, 3)
    fast = impact(
        np.array([1e4]),
        day_volatility(bars, begin + moments * hour),
        day_volume(bars, begin + moments * hour),
    )[:, 0]
    candles = [
        (h, h + 1, row[1], row[4], None if h in unsaid else v)
        for h, row, v in zip(kept, rows, volume, strict=True)
    ]
    slow = [twin.law(candles, one, 1e4) for one in moments]
    np.testing.assert_allclose(fast, [np.nan if x is None else x for x in slow], rtol=1e-9)


def test_slippage_must_be_known_where_an_order_may_fill_and_nowhere_else(tmp_path):
    land_bars(tmp_path, [(100.0, 101.0, 99.0, 100.0)] * 6)
    bars = load_bars(open_lake(tmp_path), "BTC", moment(0), moment(6))
    curves = np.zeros((6, 2, 1))
    curves[:3] = np.nan
    slippage = Slippage(np.ones(1), curves, np.arange(6), np.arange(6), "")

    def leg(first):
        side = np.where(np.arange(6) == first, 1, 0)
        return Leg(bars, Decisions.of(side, notional=1e3), np.zeros(6), slippage)

    assert leg(2).slippage is slippage
    with pytest.raises(
        SlippageUnknown, match=r"of BTC is not known for the bar of 2026-01-02 01:00 UTC and 1 "
    ):
        leg(0)
    curves[4, 1] = -0.1
    with pytest.raises(ValueError, match="0 or more"):
        leg(2)
