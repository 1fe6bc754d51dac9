import numpy as np
import pytest

from backtest.funding import load_funding
from backtest.instrument import margin_rules, size_decimals
from backtest.market import load_bars
from tests.backtest.small_lake import (
    at,
    land_bars,
    land_context,
    land_funding,
    land_instrument,
)
from warehouse.catalog import open_lake

FLAT = (100.0, 101.0, 99.0, 100.5)


def moment(hours):
    return np.datetime64(at(hours).replace(tzinfo=None), "us")


def load(root, since, until, coin="BTC", **more):
    return load_bars(open_lake(root), coin, moment(since), moment(until), **more)


def test_bars_lie_wholly_in_the_period_and_the_warmup_before_it(tmp_path):
    land_bars(tmp_path, [(float(h), float(h), float(h), float(h)) for h in range(1, 30)])
    bars = load(tmp_path, 10, 12.5, warmup=3)
    assert bars.open_px.tolist() == [8.0, 9.0, 10.0, 11.0, 12.0]
    assert bars.warmup == 3
    assert bars.period.start.tolist() == [
        at(10).replace(tzinfo=None),
        at(11).replace(tzinfo=None),
    ]
    assert bars.period.end[-1] == moment(12)
    assert (bars.gaps, bars.notes) == ([], [])


def test_a_hole_is_reported_and_not_filled(tmp_path):
    land_bars(tmp_path, [FLAT, FLAT, None, None, FLAT, None, FLAT])
    bars = load(tmp_path, 0, 8, venue="hyperliquid")
    assert len(bars) == 4
    holes = [("2 1h bars", 2, 4), ("1 1h bar", 5, 6), ("1 1h bar", 7, 8)]
    assert bars.gaps == [
        f"BTC: {what} of hyperliquid missing from 2026-01-02 0{left}:00 UTC to "
        f"2026-01-02 0{right}:00 UTC"
        for what, left, right in holes
    ]


def test_a_hole_in_the_warmup_is_bridged_and_a_short_one_is_said(tmp_path):
    land_bars(tmp_path, [FLAT, FLAT, None, FLAT, FLAT, FLAT])
    assert load(tmp_path, 4, 6, warmup=3).start[0] == moment(0)
    short = load(tmp_path, 4, 6, warmup=5)
    assert short.warmup == 3
    assert "3 of 5 bars before the period" in short.notes[0]


def test_hyperliquid_is_chosen_where_it_reaches_over_the_period(tmp_path):
    land_bars(tmp_path, [FLAT, None, FLAT, FLAT])
    land_bars(tmp_path, [FLAT] * 6, venue="binance")
    assert load(tmp_path, 0, 4).venue == "hyperliquid"
    elsewhere = load(tmp_path, 0, 5)
    assert elsewhere.venue == "binance"
    assert (
        "BTC: prices are binance's (hyperliquid has none over the whole period)"
        in (elsewhere.notes[0])
    )


def test_of_other_venues_the_fullest_is_chosen_and_of_equals_the_first_by_name(tmp_path):
    for venue, bars in {"okx": 6, "bybit": 6, "dydx": 5}.items():
        land_bars(tmp_path, [FLAT] * bars, venue=venue)
    assert load(tmp_path, 0, 6).venue == "bybit"
    assert load(tmp_path, 0, 6, venue="dydx").venue == "dydx"


def test_of_two_sources_one_is_read_and_the_other_named(tmp_path):
    land_bars(tmp_path, [FLAT] * 4, source="market")
    land_bars(tmp_path, [(200.0, 200.0, 200.0, 200.0)] * 3, source="other")
    bars = load(tmp_path, 0, 4)
    assert (bars.source, len(bars)) == ("market", 4)
    assert "not read: other" in bars.notes[0]


def test_simulated_candles_are_read_only_where_there_are_no_others(tmp_path):
    land_bars(tmp_path, [FLAT] * 6, source="simulated")
    assert load(tmp_path, 0, 6).notes == []
    land_bars(tmp_path, [FLAT] * 3, source="market")
    land_bars(tmp_path, [FLAT] * 4, venue="okx")
    land_bars(tmp_path, [FLAT] * 4, venue="dydx", source="simulated")
    bars = load(tmp_path, 0, 6)
    assert (bars.venue, bars.source) == ("okx", "market")
    assert any("no simulated ones are read" in note for note in bars.notes)
    assert load(tmp_path, 0, 6, venue="hyperliquid").source == "market"
    made_up = load(tmp_path, 0, 6, venue="dydx")
    assert made_up.source == "simulated"
    assert any("dydx has no others" in note for note in made_up.notes)


def test_missing_candles_say_what_there_is(tmp_path):
    land_bars(tmp_path, [FLAT] * 4, venue="binance")
    with pytest.raises(
        LookupError, match=r"no 1h candles of BTC .*holds binance 2026-01-02 00:00"
    ):
        load(tmp_path, 100, 104)
    with pytest.raises(LookupError, match=r"no 1h candles of okx BTC .*holds binance"):
        load(tmp_path, 0, 4, venue="okx")
    with pytest.raises(LookupError, match="did you mean BTC"):
        load(tmp_path, 0, 4, coin="BTCC")
    with pytest.raises(LookupError, match="holds candles of BTC"):
        load(tmp_path, 0, 4, coin="WIF")


def test_bars_of_any_length_that_tiles_the_hour_are_read(tmp_path):
    for interval, many in (("30m", 2), ("20m", 3)):
        land_bars(tmp_path, [FLAT] * 4 * many, interval=interval)
        bars = load(tmp_path, 0, 4, interval=interval)
        assert (len(bars), bars.width) == (4 * many, np.timedelta64(60 // many, "m"))


def test_an_empty_lake_says_so(tmp_path):
    with pytest.raises(LookupError, match="holds candles of no coin"):
        load(tmp_path, 0, 4)


def test_wrong_questions_are_refused(tmp_path):
    with pytest.raises(ValueError, match="must end after it starts"):
        load(tmp_path, 4, 4)
    for interval in ("45m", "7h", "24h", "1w", "2d"):
        with pytest.raises(
            ValueError,
            match=rf"^interval '{interval}' must be one of 1m, .*30m, 1h, 2h, 3h, 4h, 6h, 8h, "
            r"12h, 1d, for bars tile the hour or the day$",
        ):
            load(tmp_path, 0, 4, interval=interval)


def test_a_bar_that_contradicts_itself_is_refused(tmp_path):
    land_bars(tmp_path, [FLAT, (100.0, 99.0, 98.0, 100.0)])
    with pytest.raises(ValueError, match=r"2026-01-02 01:00 UTC: low 98 and high 99"):
        load(tmp_path, 0, 2)


def test_funding_is_due_at_the_open_it_is_stamped_with(tmp_path):
    """Stamps come some milliseconds late; the first bar's is nobody's."""
    land_bars(tmp_path, [FLAT] * 4)
    land_funding(tmp_path, [0.5, 0.1, 0.2, 0.3, 0.4], late_ms=76)
    funding = load_funding(open_lake(tmp_path), load(tmp_path, 0, 4))
    assert funding.rate.tolist() == [0.0, 0.1, 0.2, 0.3]
    assert funding.source == "market"


def test_funding_of_a_hole_is_due_after_it(tmp_path):
    land_bars(tmp_path, [FLAT, FLAT, None, None, FLAT])
    land_funding(tmp_path, [0.0, 1.0, 2.0, 4.0, 8.0])
    funding = load_funding(open_lake(tmp_path), load(tmp_path, 0, 5))
    assert funding.rate.tolist() == [0.0, 1.0, 14.0]


def test_a_missing_rate_names_coin_and_hour(tmp_path):
    land_bars(tmp_path, [FLAT] * 5)
    land_funding(tmp_path, [0.1, 0.1, None, 0.1, None])
    with pytest.raises(
        LookupError,
        match=r"no funding of BTC at hyperliquid for 2026-01-02 02:00 UTC and 1 more",
    ):
        load_funding(open_lake(tmp_path), load(tmp_path, 0, 5))


def test_equal_rates_of_one_hour_count_once_and_different_ones_are_an_error(tmp_path):
    land_bars(tmp_path, [FLAT] * 3)
    land_funding(tmp_path, [0.1, 0.1, 0.1])
    land_funding(tmp_path, [0.1, 0.1], late_ms=5, part="again")
    bars = load(tmp_path, 0, 3)
    assert load_funding(open_lake(tmp_path), bars).rate.tolist() == [0.0, 0.1, 0.1]
    land_funding(tmp_path, [0.1, 0.25], late_ms=5, part="again")
    with pytest.raises(
        ValueError, match=r"2026-01-02 01:00 UTC: source market gives both 0\.1 and 0\.25"
    ):
        load_funding(open_lake(tmp_path), bars)


def test_rates_that_are_not_for_one_hour_are_not_read_and_told(tmp_path):
    land_bars(tmp_path, [FLAT] * 3)
    land_funding(tmp_path, [0.1, 0.8], period_hours=8.0, source="eight")
    land_funding(tmp_path, [0.1, 0.7, 0.7], period_hours=None, source="unknown")
    with pytest.raises(
        LookupError, match=r"3 funding rates of hyperliquid are not for one hour"
    ):
        load_funding(open_lake(tmp_path), load(tmp_path, 0, 3))
    land_funding(tmp_path, [0.1, 0.2, 0.3])
    funding = load_funding(open_lake(tmp_path), load(tmp_path, 0, 3))
    assert (funding.rate.tolist(), funding.source) == ([0.0, 0.2, 0.3], "market")
    assert "3 funding rates" in funding.notes[0]


def test_funding_is_simulated_where_the_candles_are_and_nowhere_else(tmp_path):
    land_bars(tmp_path, [FLAT] * 3)
    land_bars(tmp_path, [FLAT] * 3, venue="okx", source="simulated")
    land_funding(tmp_path, [0.5] * 3, source="simulated")
    con = open_lake(tmp_path)
    alone = load_funding(con, load(tmp_path, 0, 3))
    assert alone.source == "simulated"
    assert "simulated rows are mixed with others" in alone.notes[0]
    land_funding(tmp_path, [0.1, 0.1])
    with pytest.raises(
        LookupError, match=r"02:00 UTC \(BTC: funding is read from source market"
    ):
        load_funding(open_lake(tmp_path), load(tmp_path, 0, 3))
    made_up = load_funding(open_lake(tmp_path), load(tmp_path, 0, 3, venue="okx"))
    assert made_up.source == "simulated"


def test_size_decimals_are_those_known_then(tmp_path):
    land_instrument(tmp_path, 3, hours=0)
    land_instrument(tmp_path, 5, hours=10, known=20)
    con = open_lake(tmp_path)
    assert size_decimals(con, "BTC", moment(-1), knowable=False) is None
    assert size_decimals(con, "BTC", moment(9), knowable=False) == 3
    assert size_decimals(con, "BTC", moment(10), knowable=False) == 5
    assert size_decimals(con, "BTC", moment(10), knowable=True) == 3
    assert size_decimals(con, "ETH", moment(10), knowable=False) is None


def test_funding_is_taken_on_the_oracle_price_of_its_hour(tmp_path):
    """Said up to ten minutes before it, or on the open; after a hole, the last hour's."""
    land_bars(tmp_path, [FLAT, FLAT, FLAT, None, FLAT, FLAT])
    land_funding(tmp_path, [0.1] * 6)
    land_context(tmp_path, 0.9, oracle=90.0)
    land_context(tmp_path, 1.01, oracle=91.0)
    land_context(tmp_path, 1.8, oracle=92.0)
    land_context(tmp_path, 3, oracle=93.0)
    land_context(tmp_path, 4, oracle=94.0)
    land_context(tmp_path, 4.95, oracle=95.0, source="simulated")
    funding = load_funding(open_lake(tmp_path), load(tmp_path, 0, 6))
    np.testing.assert_array_equal(funding.oracle_px, [np.nan, 90.0, np.nan, 94.0, np.nan])
    assert funding.notes == (
        "BTC: funding is taken on the oracle price at 2 of 4 openings where it is due, "
        "on the open at the others.",
    )


def test_margin_tiers_are_those_known_then(tmp_path):
    two = [(0.0, 40.0), (1e6, 20.0)]
    land_instrument(tmp_path, 3, tiers=two)
    land_instrument(tmp_path, 3, hours=10, known=20, tiers=[(0.0, 25.0)])
    con = open_lake(tmp_path)
    assert margin_rules(con, "BTC", moment(-1), knowable=False) is None
    assert margin_rules(con, "ETH", moment(10), knowable=False) is None
    for hours, knowable in ((9, False), (10, True)):
        old = margin_rules(con, "BTC", moment(hours), knowable=knowable)
        assert old.max_leverage == 40
        assert old.tiers.rate.tolist() == [1 / 80, 1 / 40]
        assert old.tiers.deduction.tolist() == [0.0, 1e6 / 80]
    assert margin_rules(con, "BTC", moment(10), knowable=False).max_leverage == 25
