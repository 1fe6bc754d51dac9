"""Bars of hours read from a lake: held or made of finer candles, and what falls due in them."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from backtest.bars import Bars
from backtest.card import first_bar
from backtest.funding import load_funding
from backtest.liquidity import interval_read
from backtest.market import load_bars
from backtest.slippage import load_slippage
from backtest.stamps import Stamps, on_bars, on_finer
from backtest.study import play
from backtest.tape import load_tape
from backtest.terms import Costs, Terms
from tests.backtest import leaks
from tests.backtest.leaks import BREAKOUT
from tests.backtest.proving import LAST, asked, differs, proven
from tests.backtest.small_lake import (
    at,
    land_bars,
    land_context,
    land_funding,
    land_lake,
    walk,
)
from tests.cli.inside import refused, run
from warehouse import open_lake

SLOW = pytest.mark.slow
FLAT = (100.0, 101.0, 99.0, 100.5)
HOURS = [(100.0 + n, 102.0 + n, 99.0 + n, 101.0 + n) for n in range(12)]


def moment(hours):
    return np.datetime64(at(hours).replace(tzinfo=None), "us")


def load(root, since, until, interval="4h", **more):
    period = moment(since), moment(until)
    return load_bars(open_lake(root), "BTC", *period, interval=interval, **more)


def test_bars_are_made_of_the_candles_that_tile_them(tmp_path):
    land_bars(tmp_path, HOURS, volume=[1.0] * 4 + [1.0, 1.0, None, 1.0] + [2.0] * 4)
    bars = load(tmp_path, 0, 12)
    assert bars.start.tolist() == [at(hour).replace(tzinfo=None) for hour in (0, 4, 8)]
    assert bars.open_px.tolist() == [100.0, 104.0, 108.0]
    assert bars.high_px.tolist() == [105.0, 109.0, 113.0]
    assert bars.low_px.tolist() == [99.0, 103.0, 107.0]
    assert bars.close_px.tolist() == [104.0, 108.0, 112.0]
    np.testing.assert_array_equal(bars.volume, [4.0, np.nan, 8.0])
    assert (bars.interval, bars.width, bars.made_of) == ("4h", np.timedelta64(4, "h"), "1h")
    assert bars.notes == [
        "BTC: hyperliquid's 4h bars are made of its 1h candles, for the lake holds no 4h ones; "
        "a bar that lacks one of them is missing."
    ]
    assert bars.period.made_of == "1h"


def test_a_bar_that_lacks_a_part_is_a_gap(tmp_path):
    land_bars(tmp_path, [*HOURS[:5], None, *HOURS[6:]])
    bars = load(tmp_path, 0, 12)
    assert bars.open_px.tolist() == [100.0, 108.0]
    assert bars.gaps == [
        "BTC: 1 4h bar of hyperliquid missing from 2026-01-02 04:00 UTC to 2026-01-02 08:00 UTC"
    ]


def test_bars_lie_on_the_day_and_wholly_in_the_period_with_the_warmup_before(tmp_path):
    land_bars(tmp_path, HOURS)
    bars = load(tmp_path, 6, 12, warmup=1)
    assert bars.warmup == 1
    assert bars.open_px.tolist() == [104.0, 108.0]
    assert load(tmp_path, 2, 11).open_px.tolist() == [104.0]
    with pytest.raises(LookupError, match=r"no 1d candles of BTC .* the lake holds 1h candles"):
        load(tmp_path, 0, 12, interval="1d")


def test_candles_that_are_held_are_read_as_they_are(tmp_path):
    land_bars(tmp_path, HOURS)
    land_bars(tmp_path, [FLAT] * 2, interval="4h")
    bars = load(tmp_path, 0, 12)
    assert (bars.close_px.tolist(), bars.made_of, bars.notes) == ([100.5, 100.5], None, [])


def test_of_finer_candles_the_coarsest_that_reach_over_the_period_are_joined(tmp_path):
    land_bars(tmp_path, HOURS[:1], interval="2h", first=4)
    land_bars(tmp_path, HOURS)
    land_bars(tmp_path, [FLAT] * 48, interval="15m")
    assert load(tmp_path, 0, 12).made_of == "1h"
    # Where none reach over it, the coarsest that make up any.
    assert load(tmp_path, 0, 40).made_of == "1h"
    land_bars(tmp_path, HOURS[:6], interval="2h")
    assert load(tmp_path, 0, 12).made_of == "2h"


def test_bars_are_made_at_home_before_another_venue_s_are_read(tmp_path):
    land_bars(tmp_path, HOURS)
    land_bars(tmp_path, [FLAT] * 3, venue="okx", interval="4h")
    land_bars(tmp_path, [FLAT] * 3, venue="hyperliquid", source="simulated", interval="4h")
    bars = load(tmp_path, 0, 12)
    assert (bars.venue, bars.source, bars.made_of) == ("hyperliquid", "market", "1h")
    assert load(tmp_path, 0, 12, venue="okx").made_of is None


def test_payments_are_due_at_opens_and_within_bars(tmp_path):
    """The oracle is known at two of them; else the hour's open stands in, or the bar's."""
    land_bars(tmp_path, HOURS)
    land_funding(tmp_path, [0.1 * n for n in range(13)], late_ms=76)
    land_context(tmp_path, 1.99, oracle=50.0)
    land_context(tmp_path, 4, oracle=60.0)
    con, bars = open_lake(tmp_path), load(tmp_path, 0, 12)
    for fine, px in ((load(tmp_path, 0, 12, "1h"), 103.0), (None, 100.0)):
        found = load_funding(con, bars, fine)
        np.testing.assert_allclose(found.rate, [0.0, 0.4, 0.8])
        np.testing.assert_array_equal(found.oracle_px, [np.nan, 60.0, np.nan])
        hours = [1, 2, 3, 5, 6, 7, 9, 10, 11]
        assert found.stamps.ts.tolist() == [at(hour).replace(tzinfo=None) for hour in hours]
        assert found.stamps.paid[1:3] == pytest.approx([0.2 * 50.0, 0.3 * px])
        what = "a finer bar" if fine else "the whole bar"
        assert (
            f"BTC: 9 payments fall due within bars, taken on the oracle price at 1, on the "
            f"open of {what} at 8; who held a bar through pays them all, of who entered or "
            "left in it they are bounded, and the trade counts as ambiguous." in found.notes
        )


def test_a_payment_within_the_last_bar_that_is_missing_is_an_error(tmp_path):
    land_bars(tmp_path, HOURS)
    land_funding(tmp_path, [0.1] * 11)
    with pytest.raises(LookupError, match=r"no funding of BTC at .* 2026-01-02 11:00 UTC"):
        load_funding(open_lake(tmp_path), load(tmp_path, 0, 12))
    assert load_funding(open_lake(tmp_path), load(tmp_path, 0, 11)).stamps.ts.size == 6


def test_payments_of_a_hole_are_due_after_it_and_not_within_a_bar(tmp_path):
    land_bars(tmp_path, [*HOURS[:5], None, *HOURS[6:]])
    land_funding(tmp_path, [0.1] * 13)
    found = load_funding(open_lake(tmp_path), load(tmp_path, 0, 12))
    np.testing.assert_allclose(found.rate, [0.0, 0.5])
    assert found.stamps.ts.size == 6


def bars_at(hours, length):
    """Bars of so many hours that begin at some hours."""
    n = len(hours)
    start = np.array([moment(hour) for hour in hours])
    width = np.timedelta64(round(length * 3600), "s").astype("m8[us]")
    return Bars("BTC", "v", "s", "x", width, start, *np.full((5, n), 100.0))


def test_a_stamp_belongs_to_the_finer_bar_it_lies_in_or_to_the_next_or_to_the_last():
    own = bars_at([0, 4, 8], 4)
    stamps = Stamps(
        np.array([moment(hour) for hour in (1, 2, 3, 5, 6, 7, 9)]),
        np.array([1.0, -2.0, 3.0, 4.0, 5.0, -6.0, 7.0]),
    )
    due = on_bars(stamps, own)
    assert due.by_longs.tolist() == [4.0, 9.0, 7.0]
    assert due.by_shorts.tolist() == [2.0, 6.0, 0.0]
    # Within the second half hour from 0:30 on, at 3:00, before 6:30 and in the hour from then
    # on; the last bar has none.
    inner = bars_at([0.5, 3, 6.5], 1)
    due = on_finer(stamps, own, inner, np.array([0, 2, 3]), np.array([2, 3, 3]))
    assert due.opening.tolist() == [0.0, -2.0 + 3.0, 4.0 + 5.0]
    assert due.by_longs.tolist() == [1.0, 0.0, 0.0]
    assert due.by_shorts.tolist() == [0.0, 0.0, 6.0]
    # What came after the last that traded is due within that.
    early = bars_at([0.25, 0.5], 0.25)
    due = on_finer(stamps, own, early, np.array([0, 2, 2]), np.array([2, 2, 2]))
    assert (due.by_longs.tolist(), due.by_shorts.tolist()) == ([0.0, 4.0], [0.0, 2.0])


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    return land_lake(tmp_path_factory.mktemp("lake"), hours=LAST)


def tape_of(root, **more):
    with open_lake(root) as con:
        return load_tape(con, "BTC", moment(24), moment(LAST), Terms(), **more)


def test_an_order_of_a_long_bar_gives_up_what_one_of_its_first_hour_does(lake):
    with open_lake(lake) as con:
        hours = load_bars(con, "BTC", moment(24), moment(LAST))
        for interval in ("4h", "1d"):
            bars = load_bars(con, "BTC", moment(24), moment(LAST), interval=interval)
            assert interval_read(con, bars, "hyperliquid", "market") == "1h"
            ours, theirs = load_slippage(con, bars), load_slippage(con, hours)
            rows = np.searchsorted(hours.start, bars.start)
            np.testing.assert_allclose(ours.curves[ours.row], theirs.curves[rows])


def test_finer_bars_of_a_long_one_are_those_that_reach_over_most_of_them(tmp_path):
    land_lake(tmp_path, hours=LAST)
    assert tape_of(tmp_path, interval="4h").fine.interval == "1h"
    # Minutes of the last two bars and of a part of the one before.
    land_bars(tmp_path, [FLAT] * 60 * 9, interval="1m", first=LAST - 9)
    tape = tape_of(tmp_path, interval="4h")
    assert tape.fine.interval == "1h"
    short = tape_of(tmp_path, interval="1h")
    assert short.fine.interval == "1m"
    land_bars(tmp_path, [FLAT] * 4 * (LAST - 25), interval="15m", first=25)
    tape = tape_of(tmp_path, interval="4h")
    assert tape.fine.interval == "1h"
    land_bars(tmp_path, [FLAT] * 4 * (LAST - 24), interval="15m", first=24)
    assert tape_of(tmp_path, interval="4h").fine.interval == "15m"


@pytest.mark.parametrize("interval", ["4h", "12h"])
def test_a_study_of_long_bars_has_three_readings_that_bound_each_other(lake, interval):
    strategy = replace(BREAKOUT, lookback=1)
    with open_lake(lake) as con:
        played = play(con, asked(strategy, since=at(24), interval=interval))
    pessimistic, optimistic, drilled = (
        played.of(reading)[0].replay for reading in ("pessimistic", "optimistic", "drilled")
    )
    assert len(pessimistic)
    totals = [one.trades["funding"].sum() for one in (pessimistic, drilled, optimistic)]
    assert totals == sorted(totals, reverse=True)
    assert not drilled.trades["ambiguous"].all()


@pytest.mark.parametrize(
    ("made", "cuts"),
    [(True, 1), pytest.param(True, 4, marks=SLOW), pytest.param(False, 4, marks=SLOW)],
)
def test_a_rule_on_long_bars_is_proven(tmp_path, made, cuts):
    root = land_lake(tmp_path, hours=LAST)
    if not made:
        with open_lake(root) as con:
            bars = load_bars(con, "BTC", moment(0), moment(LAST), interval="4h")
        names = ("open_px", "high_px", "low_px", "close_px")
        rows = zip(*(getattr(bars, name).tolist() for name in names), strict=True)
        land_bars(root, list(rows), interval="4h", volume=4e5)
    found = proven(root, asked(leaks.LastBar(), interval="4h"), cuts)
    assert found.decisions > 0
    assert found.trades > 0 or cuts == 1


@SLOW
@pytest.mark.parametrize("leak", [leaks.NextBar, leaks.Centred])
def test_a_rule_on_long_bars_that_looks_ahead_is_caught(lake, leak):
    assert differs(lake, asked(leak(), interval="4h"), cuts=4)


@pytest.mark.parametrize("cuts", [1, pytest.param(6, marks=SLOW)])
def test_bars_of_a_quarter_are_proven_between_the_hours(tmp_path, cuts):
    """What is charged at the hour before a cut is charged there in every world."""
    land_bars(tmp_path, walk(4 * 30), interval="15m", volume=1e5)
    land_funding(tmp_path, [1e-3] * 31)
    question = asked(leaks.LastBar(), since=at(7), until=at(30), interval="15m")
    found = proven(tmp_path, question, cuts, seed=3)
    assert found.decisions > 0
    assert found.trades > 0 or cuts == 1


def test_lengths_that_tile_neither_hour_nor_day_are_refused_in_one_line(lake):
    period = ["--coin", "BTC", "--from", "2026-01-02", "--to", "2026-01-04"]
    for verb in (["run"], ["sweep", "--set", "stop_pct=1,2"]):
        for interval in ("45m", "7h", "1w"):
            done = run("backtest", *verb, *period, "--interval", interval, lake=lake)
            line = refused(done)
            assert f"interval '{interval}' must be one of 1m, 2m, 3m" in line
            assert line.endswith("6h, 8h, 12h, 1d, for bars tile the hour or the day")


def test_a_warm_up_longer_than_any_calendar_is_as_long_as_there_are_candles(lake):
    with open_lake(lake) as con:
        bars = load_bars(con, "BTC", moment(48), moment(LAST), interval="1d", warmup=1_000_000)
    assert bars.warmup == 2
    much = asked(replace(BREAKOUT, lookback=1_000_000), interval="1d")
    assert first_bar(much) == datetime(1900, 1, 1, tzinfo=UTC)


def test_costs_left_out_leave_payments_within_bars_out(lake):
    free = Terms(Costs(funding="none"))
    with open_lake(lake) as con:
        tape = load_tape(con, "BTC", moment(24), moment(LAST), free, interval="4h")
    assert tape.funding.stamps.ts.size == 0
