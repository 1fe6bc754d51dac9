"""Who is filled beyond its own levels, worked by hand; the rules are in docs/replay.md."""

import pytest

from tests.backtest.test_orders_by_hand import THREE, limit
from tests.backtest.test_replay_by_hand import ENGINES, FLAT, NOWHERE, Bar, enter, one, told
from tests.reference.replay_words import Decision, Market, Venue

LARGE = (1e6,)  # USD: what any order here gives up is the same


def market(**more):
    return Market(**{"sizes": LARGE, **more})


# A purchase gives up 5 %, a sale 2 %; who takes pays 0.1 %, who rested nothing.
THIN = market(bought=(0.05,), sold=(0.02,))
FEES = Venue(taker=0.001)


@ENGINES
@THREE
def test_an_order_that_its_own_slippage_carries_past_its_stop_is_stopped_at_once(
    engine, reading
):
    """Bought at 105, so the stop is at 103.95: the open of 100 has passed it; sold at 98."""
    venue = Venue(reading=reading, taker=0.001)
    bars = [FLAT, Bar(100, 110, 90, 105), FLAT]
    trade, marks = one(engine, bars, enter(1, 0.01), venue=venue, market=THIN)
    assert (trade.entered, trade.left, trade.reason) == (1, 1, "stop")
    assert (trade.entry, trade.exit, trade.stop) == pytest.approx((105, 98, 103.95))
    assert not trade.ambiguous
    assert trade.fees == pytest.approx(1.0 + 1000 / 105 * 98 * 0.001)
    assert trade.slippage == pytest.approx(1000 * 0.05 + 1000 / 105 * 98 * 0.02)
    assert marks[1] == (0.0, pytest.approx(1000 / 105 * (98 - 105) - trade.fees))


@ENGINES
def test_a_short_that_its_own_slippage_carries_past_its_stop_is_stopped_at_once(engine):
    """Sold at 98, so the stop is at 98.98; bought back at 105."""
    trade, _ = one(engine, [FLAT] * 3, enter(-1, 0.01), market=THIN)
    assert (trade.left, trade.reason) == (1, "stop")
    assert (trade.entry, trade.exit) == pytest.approx((98, 105))


@ENGINES
def test_a_tighter_stop_does_not_take_a_loss_away(engine):
    """Falling 10 % in the bar: the wide stop loses more than the one that is passed at once."""
    bars = [FLAT, Bar(100, 100, 90, 90), FLAT]
    lost = [
        one(engine, bars, enter(1, stop), market=THIN)[0].pnl for stop in (0.005, 0.02, 0.08)
    ]
    # At once at 100; at once at 100; at 96.6: each less 2 %.
    sold = [98, 98, 105 * 0.92 * 0.98]
    assert lost == pytest.approx([1000 / 105 * (px - 105) for px in sold])


@ENGINES
def test_a_trailing_stop_nearer_than_the_slippage_is_met_at_once(engine):
    trade, _ = one(engine, [FLAT] * 3, enter(1, trail_fraction=0.03), market=THIN)
    assert (trade.left, trade.reason, trade.exit) == (1, "trail", pytest.approx(98))


@ENGINES
def test_a_target_behind_the_slipped_entry_rests_until_it_is_reached(engine):
    """Bought at 105 with a target of 103, which the open of 100 has not passed: a loss of 2."""
    bars = [FLAT, Bar(100, 102, 99, 101), Bar(101, 104, 100, 102), FLAT]
    trade, _ = one(engine, bars, enter(1, target_px=103.0), venue=FEES, market=THIN)
    assert (trade.entry, trade.exit) == pytest.approx((105, 103))
    assert (trade.left, trade.reason) == (2, "target")
    assert trade.fees == pytest.approx(1.0)  # the exit rested


@ENGINES
@pytest.mark.parametrize(("given", "px"), [(0.005, 102 * 0.995), (0.02, 101.0)])
def test_a_target_that_the_open_has_passed_takes_and_gets_no_less_than_its_price(
    engine, given, px
):
    where = market(bought=(0.0,), sold=(given,))
    bars = [FLAT, Bar(102, 103, 90, 102), FLAT]
    trade, _ = one(engine, bars, enter(1, 0.05, target_px=101.0), venue=FEES, market=where)
    assert (trade.entered, trade.left, trade.reason) == (1, 1, "target")
    assert (trade.entry, trade.exit) == pytest.approx((102, px))
    assert trade.fees == pytest.approx(1.0 + 1000 / 102 * px * 0.001)
    assert trade.slippage == pytest.approx(1000 / 102 * px * (1 - px / 102))


@ENGINES
@pytest.mark.parametrize(("side", "target"), [(1, 101.0), (1, 102.0), (-1, 102.0), (-1, 103.0)])
def test_an_open_at_or_beyond_the_target_ends_the_trade_there(engine, side, target):
    bars = [FLAT, Bar(102, 103, 101, 102), FLAT]
    trades, _, outcomes = told(engine, bars, [enter(side, 0.05, target_px=target)])
    assert [(one.left, one.reason, one.exit) for one in trades] == [(1, "target", 102)]
    assert outcomes == ["opened", "not taken", "not taken"]


@ENGINES
def test_of_a_stop_and_a_target_that_the_open_has_passed_the_stop_fills(engine):
    bars = [FLAT, Bar(102, 103, 101, 102), FLAT]
    trade, _ = one(engine, bars, enter(1, stop_px=103.0, target_px=101.0), market=THIN)
    assert (trade.reason, trade.exit) == ("stop", pytest.approx(102 * 0.98))


@ENGINES
def test_a_limit_that_a_gap_fills_beyond_its_stop_is_stopped_there(engine):
    """Bought at 94, resting; its stop at 95 sells at once: 94 less 2 %."""
    bars = [FLAT, Bar(100, 101, 99, 100), Bar(94, 96, 93, 95), FLAT]
    decision = limit(1, 98.0, good_for=3, stop_px=95.0)
    trade, _ = one(engine, bars, decision, venue=FEES, market=THIN)
    assert (trade.entered, trade.left, trade.reason) == (2, 2, "stop")
    assert (trade.entry, trade.exit) == pytest.approx((94, 94 * 0.98))
    assert trade.fees == pytest.approx(1000 / 94 * 94 * 0.98 * 0.001)


@ENGINES
def test_a_stop_entry_that_a_gap_fills_beyond_its_target_takes_it_there(engine):
    """Bought at 104 and 5 %, sold at 104 less 2 %, which is less than the target of 103."""
    bars = [FLAT, FLAT, Bar(104, 105, 103, 104), FLAT]
    decision = enter(1, kind="stop", px=102.0, good_for=2, target_px=103.0)
    trade, _ = one(engine, bars, decision, market=THIN)
    assert (trade.entered, trade.left, trade.reason) == (2, 2, "target")
    assert (trade.entry, trade.exit) == pytest.approx((109.2, 103.0))


@ENGINES
@THREE
def test_a_stop_entry_within_a_bar_that_slips_past_its_stop_is_stopped_at_its_price(
    engine, reading
):
    """Bought at 102 and 5 %, the stop at 106.03 is behind the market: sold at 102 less 2 %,
    however the bar went on."""
    bars = [FLAT, Bar(100, 120, 99, 119), FLAT]
    decision = enter(1, 0.01, kind="stop", px=102.0)
    trade, _ = one(engine, bars, decision, venue=Venue(reading=reading), market=THIN)
    assert (trade.entered, trade.left, trade.reason) == (1, 1, "stop")
    assert (trade.entry, trade.exit) == pytest.approx((107.1, 102 * 0.98))
    assert not trade.ambiguous


@ENGINES
@pytest.mark.parametrize(
    ("levels", "reason", "px"),
    [({"stop_px": 99.0}, "stop", 98 * 0.98), ({"target_px": 97.0}, "target", 97.0)],
)
def test_a_limit_within_a_bar_beyond_its_own_level_ends_at_its_price(
    engine, levels, reason, px
):
    bars = [FLAT, Bar(100, 101, 97.5, 99), FLAT]
    trade, _ = one(engine, bars, limit(1, 98.0, **levels), venue=FEES, market=THIN)
    assert (trade.left, trade.reason) == (1, reason)
    assert (trade.entry, trade.exit) == pytest.approx((98, px))
    assert trade.fees == pytest.approx(1000 / 98 * px * 0.001)


@ENGINES
def test_a_target_moved_to_where_the_price_has_been_takes(engine):
    """Held from 100; moved to 99 while the open is 101: sold at 101 less 2 %, or 99."""
    bars = [FLAT, FLAT, Bar(101, 101, 101, 101), FLAT]
    where = market(sold=(0.01,))
    moves = [enter(1), Decision(move_target_px=99.0)]
    trades, _, _ = told(engine, bars, moves, FEES, where)
    assert [(one.left, one.reason) for one in trades] == [(2, "target")]
    assert trades[0].exit == pytest.approx(101 * 0.99)
    assert trades[0].fees == pytest.approx(1.0 + 10 * 101 * 0.99 * 0.001)


@ENGINES
def test_an_account_that_the_slippage_of_its_entry_empties_is_liquidated_at_the_open(engine):
    """19.05 coins at 105 cost 95 more than they are worth: 205 - 95 is below 190.5."""
    tenth = market(bought=(0.05,), tiers=((0.1, 0.0),))
    venue = Venue(start_equity=205.0)
    bars = [FLAT, Bar(100, 130, 100, 130), FLAT]
    trade, _ = one(engine, bars, enter(1, notional=2_000.0), venue=venue, market=tenth)
    assert (trade.left, trade.reason, trade.exit) == (1, "liquidation", 100)


@ENGINES
@pytest.mark.parametrize(
    ("decision", "outcome"),
    [
        (limit(1, 98.0), "unfilled"),
        (enter(1, kind="stop", px=102.0), "unfilled"),
        (enter(1, 0.001, target_px=1.0), "opened"),
        (enter(-1, 0.001, target_px=200.0), "opened"),
        (enter(1, notional=9.0), "refused"),
    ],
)
def test_only_a_resting_order_that_is_not_reached_is_unfilled(engine, decision, outcome):
    assert told(engine, [FLAT] * 3, [decision], market=THIN)[2][0] == outcome


@ENGINES
def test_no_sale_gets_less_than_a_tenth(engine):
    """A curve of 4 % at 1,000 USD is 126 % at a million by the root."""
    where = market(sizes=(1e3,), sold=(0.04,))
    venue = Venue(start_equity=1e9)
    trade, _ = one(engine, [FLAT] * 3, enter(1, notional=1e6), venue=venue, market=where)
    assert trade.exit == pytest.approx(10.0)


FORCED = market(sold=(0.01,), forced_sold=(0.04,))


@ENGINES
@THREE
@pytest.mark.parametrize(
    ("decision", "bar", "reason"),
    [
        (enter(1, 0.05), Bar(100, 100, 90, 95), "stop"),
        (enter(1, 0.05), Bar(95, 100, 90, 95), "stop"),
        (enter(1, trail_fraction=0.05), Bar(100, 100, 90, 95), "trail"),
    ],
)
def test_what_the_market_forces_pays_what_it_took_then(engine, reading, decision, bar, reason):
    venue = Venue(reading=reading)
    trade, _ = one(engine, [FLAT, FLAT, bar, FLAT], decision, venue=venue, market=FORCED)
    assert (trade.reason, trade.left) == (reason, 2)
    given = 0.01 if reading == "optimistic" else 0.04
    assert trade.exit == pytest.approx(95 * (1 - given))


@ENGINES
@THREE
def test_so_does_a_liquidation(engine, reading):
    """10 coins at 100 behind 200 USD: gone at 800 / 9."""
    where = market(sold=(0.01,), forced_sold=(0.04,), tiers=((0.1, 0.0),))
    venue = Venue(reading=reading, start_equity=200.0)
    bars = [FLAT, FLAT, Bar(100, 100, 85, 90), FLAT]
    trade, _ = one(engine, bars, enter(1), venue=venue, market=where)
    given = 0.01 if reading == "optimistic" else 0.04
    assert (trade.reason, trade.exit) == ("liquidation", pytest.approx(800 / 9 * (1 - given)))


@ENGINES
@pytest.mark.parametrize(
    ("decisions", "reason"),
    [
        ([enter(1, max_bars=1)], "time"),
        ([enter(1), Decision(leave=True)], "left"),
        ([NOWHERE, NOWHERE, enter(1)], "end"),
    ],
)
def test_who_leaves_of_its_own_pays_the_book_of_the_open(engine, decisions, reason):
    trades, _, _ = told(engine, [FLAT] * 4, decisions, market=FORCED)
    assert [(one.reason, one.exit) for one in trades] == [(reason, pytest.approx(99))]


@ENGINES
def test_finer_bars_pay_what_their_bar_took(engine):
    minutes = [Bar(100, 100, 98, 98), Bar(94, 94, 93, 93)]
    hour = Bar(100, 100, 93, 93, volume=2e9, fine=minutes)
    venue = Venue(reading="drilled")
    trade, _ = one(engine, [FLAT, hour, FLAT], enter(1, 0.05), venue=venue, market=FORCED)
    assert trade.exit == pytest.approx(94 * 0.96)


@ENGINES
@pytest.mark.parametrize("side", [1, -1])
def test_the_worst_price_of_a_trade_holds_its_own_fills_and_so_does_the_best(engine, side):
    """Bought at 105, sold by its stop at 90 less 2 %; the market went from 100 to 103 to 90."""
    where = market(bought=(0.05,), sold=(0.02,))
    stop, high, low = (90.0, 103, 85) if side > 0 else (110.0, 115, 97)
    bars = [FLAT, Bar(100, max(high, 100), min(low, 100), 100), FLAT]
    trade, _ = one(engine, bars, enter(side, stop_px=stop), market=where)
    if side > 0:
        assert (trade.worst, trade.best) == pytest.approx((90 * 0.98, 105))
    else:
        assert (trade.worst, trade.best) == pytest.approx((110 * 1.05, 98))
