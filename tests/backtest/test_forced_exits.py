"""What exits that the market forces give up: by hand, beside the twin, and in a replay."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.bars import Bars
from backtest.books import _chunks
from backtest.decisions import Decisions
from backtest.impact import impact, range_volatility
from backtest.leg import Leg
from backtest.market import load_bars
from backtest.replay import replay
from backtest.slippage import SIZES, load_slippage
from backtest.terms import Costs, Terms
from tests.backtest.small_lake import land_bars, land_book, land_context
from tests.backtest.test_slippage import ASKS, AT, BIDS, BUY, SELL, load, moment
from tests.reference import costs as twin
from warehouse.catalog import open_lake

QUIET = (100.0, 101.0, 99.0, 100.0)
# A book of which the half is gone, and the rest is far.
THIN_BIDS, THIN_ASKS = [(95.0, 2.0), (80.0, 50.0)], [(105.0, 2.0), (120.0, 50.0)]


def test_a_thin_book_within_a_bar_is_dear_for_its_stops_and_not_for_entries(tmp_path):
    land_bars(tmp_path, [QUIET] * 4, volume=1e5)
    land_book(tmp_path, 1, BIDS, ASKS)
    land_book(tmp_path, 1.5, THIN_BIDS, THIN_ASKS)
    land_book(tmp_path, 1.9, BIDS, ASKS)
    found = load(tmp_path, 1, 2)
    opened, forced = found.curves[found.row[0]], found.curves[found.forced[0]]
    for side, bought in ((BUY, True), (SELL, False)):
        calm = [twin.walked(BIDS, ASKS, size, bought) for size in SIZES]
        thin = [twin.walked(THIN_BIDS, THIN_ASKS, size, bought) for size in SIZES]
        np.testing.assert_allclose(opened[side], calm)
        np.testing.assert_allclose(forced[side], np.maximum(calm, thin))
    # 10 coins for 1,000 USD: 2 at 95 and 8 at 80.
    assert forced[SELL, AT(1e3)] == pytest.approx(1 - (2 * 95 + 8 * 80) / 10 / 100)
    assert found.basis.endswith(
        "stops and liquidations of 1 of 1 bars by the worst book within"
    )


def test_a_book_of_the_next_open_or_of_its_own_is_not_within(tmp_path):
    land_bars(tmp_path, [QUIET] * 4, volume=1e5)
    land_book(tmp_path, 1, BIDS, ASKS)
    land_book(tmp_path, 2, THIN_BIDS, THIN_ASKS)
    found = load(tmp_path, 1, 2)
    assert found.forced.tolist() == found.row.tolist()
    assert found.basis.endswith("stops and liquidations of 1 of 1 bars as at their open")


def test_the_worst_is_taken_size_by_size_and_a_crossed_book_is_not_walked(tmp_path):
    """The first has a wide spread and is deep, the second is narrow and ends at once."""
    land_bars(tmp_path, [QUIET] * 3, volume=1e5)
    land_book(tmp_path, 1, [(99.9, 1e6)], [(100.1, 1e6)])
    wide = [(97.0, 1e5)], [(103.0, 1e5)]
    ends = [(99.0, 10.0)], [(101.0, 10.0)]
    land_book(tmp_path, 1.2, *wide)
    land_book(tmp_path, 1.4, *ends)
    land_book(tmp_path, 1.6, [(120.0, 1.0)], [(80.0, 1.0)])
    found = load(tmp_path, 1, 2)
    given = found.curves[found.forced[0], SELL]
    assert given[AT(1e3)] == pytest.approx(0.03)
    assert given[AT(1e5)] == pytest.approx(0.01 * 10)


def test_without_a_book_within_the_range_of_the_bar_says_how_restless_it_was(tmp_path):
    """A bar falls from 100 to 75: ln(4 / 3) / 1.665 an hour, 0.8465 a day, on 4e8 USD."""
    bars = [QUIET] * 8 + [(100.0, 100.0, 75.0, 80.0)]
    land_bars(tmp_path, bars, volume=1e5)
    land_context(tmp_path, 7.5, volume=4e8)
    found = load(tmp_path, 8, 9)
    own = np.log(100 / 75) / np.sqrt(4 * np.log(2)) * np.sqrt(24)
    assert own == pytest.approx(0.8465, abs=1e-4)
    wanted = 1e-4 + own * np.sqrt(np.array(SIZES) / 4e8)
    np.testing.assert_allclose(found.curves[found.forced[0]], [wanted, wanted])
    assert found.curves[found.row[0], SELL, 0] == pytest.approx(1e-4, rel=1e-9)
    assert found.basis.endswith("by the impact law on their own range, if worse")


def test_a_bar_that_is_quieter_than_the_day_before_keeps_its_curve(tmp_path):
    wild = [(100.0, 112.0, 99.0, 110.0), (110.0, 111.0, 95.0, 100.0)] * 4
    land_bars(tmp_path, [*wild, (100.0, 100.1, 99.9, 100.0)], volume=1e5)
    found = load(tmp_path, 8, 9)
    assert found.forced.tolist() == found.row.tolist() == [0]


def test_a_book_at_the_open_is_worse_than_the_law_or_the_law_is(tmp_path):
    """The law of a bar without a book within is laid beside the book of its open."""
    land_bars(tmp_path, [QUIET] * 8 + [(100.0, 100.0, 75.0, 80.0)] * 2, volume=1e5)
    land_context(tmp_path, 7.5, volume=4e8)
    land_book(tmp_path, 8, [(99.99, 2.0), (90.0, 1e6)], [(100.01, 1e9)])
    found = load(tmp_path, 8, 9)
    law = 1e-4 + 0.8465 * np.sqrt(np.array(SIZES) / 4e8)
    opened, forced = found.curves[found.row[0]], found.curves[found.forced[0]]
    np.testing.assert_allclose(forced[SELL], np.maximum(opened[SELL], law), rtol=1e-3)
    assert opened[SELL, -1] > law[-1]
    np.testing.assert_allclose(forced[BUY], law, rtol=1e-3)


def test_where_the_open_is_not_known_nothing_within_the_bar_is_said_to_be_charged(tmp_path):
    """The first has a book within, the last a range and a volume; only the second an open."""
    land_bars(tmp_path, [QUIET] * 3)
    land_book(tmp_path, 0.5, BIDS, ASKS)
    land_context(tmp_path, 1.5, volume=4e8)
    found = load(tmp_path, 0, 3)
    unknown = np.isnan(found.curves[found.forced]).any(axis=(1, 2))
    assert unknown.tolist() == [True, False, True]
    assert found.basis.endswith(
        "; 2 of 3 bars not known; "
        "stops and liquidations of 1 of 3 bars as at their open, of 2 of 3 bars not known"
    )


@given(
    seed=st.integers(0, 999),
    high=st.floats(100.0, 140.0),
    low=st.floats(60.0, 100.0),
    hours=st.sampled_from([1 / 60, 0.25, 1.0, 4.0, 24.0]),
)
def test_the_range_of_a_bar_is_worked_out_as_row_by_row(seed, high, low, hours):
    rng = np.random.default_rng(seed)
    width = np.timedelta64(round(hours * 3_600_000_000), "us")
    begin = np.datetime64("2026-01-01", "us")
    px = (np.array([one]) for one in (100.0, high, low, 100.0))
    bars = Bars("BTC", "v", "s", "x", width, np.array([begin]), *px, np.array([1.0]))
    closes = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, 24)))
    opens = np.concatenate([[100.0], closes[:-1]])
    day = [(h, h + 1, opens[h], closes[h], 1e4) for h in range(24)]
    before = np.sqrt((np.log(closes / opens) ** 2).sum())
    restless = np.fmax([before], range_volatility(bars))
    found = impact(np.array([1e4]), restless, np.array([1e8]))[0, 0]
    assert found == pytest.approx(twin.law(day, 24, 1e4, 1e8, (high, low, hours)), rel=1e-9)


def test_what_is_read_at_once_is_some_days_and_changes_nothing(tmp_path, monkeypatch):
    land_bars(tmp_path, [QUIET] * 60, volume=1e5)
    for hour in range(1, 58):
        land_book(tmp_path, hour + 0.5, [(99.0 - hour / 9, 1e4)], [(101.0, 1e4)])
    whole = load(tmp_path, 0, 60)
    monkeypatch.setattr("backtest.books.MOST_BOOKS", 3)
    parts = load(tmp_path, 0, 60)
    np.testing.assert_array_equal(whole.curves, parts.curves)
    np.testing.assert_array_equal(whole.forced, parts.forced)
    assert list(_chunks([(1, 2), (2, 1), (3, 1)])) == [(1, 2), (3, 3)]
    assert "of 56 of 60 bars by the worst book within" in whole.basis.replace(
        "liquidations ", ""
    )


@pytest.mark.parametrize("bound", ["pessimistic", "optimistic", "drilled"])
def test_a_stop_pays_the_thin_book_and_the_entry_at_the_same_open_does_not(tmp_path, bound):
    land_bars(tmp_path, [QUIET, QUIET, (100.0, 100.0, 75.0, 80.0), QUIET], volume=1e5)
    for hour in (0, 1, 2, 3):
        land_book(tmp_path, hour, [(99.9, 1e6)], [(100.1, 1e6)])
    land_book(tmp_path, 2.5, THIN_BIDS, THIN_ASKS)
    con = open_lake(tmp_path)
    bars = load_bars(con, "BTC", moment(0), moment(4))
    slippage = load_slippage(con, bars)
    side = np.array([0, 1, 0, 0], np.int8)
    made = Decisions.of(side, notional=1e3, stop_px=90.0)
    leg = Leg(bars, made, np.zeros(4), slippage)
    terms = Terms(Costs(0.0, 0.0, funding="none"))
    (trade,) = replay([leg], terms, bound=bound).trades
    assert trade["entry_px"] == pytest.approx(100.1)
    given = 0.001
    if bound != "optimistic":
        coins = 1e3 / 100.1
        given = np.interp(coins * 90, SIZES, slippage.curves[slippage.forced[2], SELL])
        assert given > 0.1
    assert trade["exit_px"] == pytest.approx(90 * (1 - given))
    assert trade["worst_px"] <= trade["exit_px"] < 90.0
    # Planted: were it of its open alone, every reading would pay as the optimistic one.
    plain = replace(leg, slippage=replace(slippage, forced=slippage.row))
    (cheap,) = replay([plain], terms, bound=bound).trades
    assert cheap["exit_px"] == pytest.approx(90 * 0.999)
