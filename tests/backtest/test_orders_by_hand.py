"""Orders, readings, sizes and margin, worked by hand; the rules are in docs/replay.md."""

from dataclasses import replace

import pytest

from tests.backtest.test_replay_by_hand import (
    ENGINES,
    FLAT,
    FREE,
    NOWHERE,
    READINGS,
    Bar,
    enter,
    long,
    one,
    told,
)
from tests.reference.replay_words import Decision, Market, Venue

THREE = pytest.mark.parametrize("reading", ["pessimistic", "optimistic", "drilled"])
TENTH = Market(tiers=((0.1, 0.0),))  # a tenth of the notional is maintenance


def limit(side, px, **more):
    return enter(side, kind="limit", px=px, **more)


@ENGINES
@READINGS
@pytest.mark.parametrize(
    ("side", "px", "bar"),
    [(1, 98.0, Bar(100, 101, 98, 99)), (-1, 102.0, Bar(100, 102, 99, 101))],
    ids=["long", "short"],
)
def test_a_limit_is_filled_by_touch_as_a_maker(engine, optimistic, side, px, bar):
    venue = Venue(taker=0.001, maker=0.0002)
    trade, _ = one(
        engine, [FLAT, bar, FLAT], limit(side, px), optimistic=optimistic, venue=venue
    )
    assert (trade.entered, trade.entry, trade.kind) == (1, px, "limit")
    assert trade.fees == pytest.approx(1000 * 0.0002 + 1000 / px * 100 * 0.001)


@ENGINES
def test_a_limit_must_be_traded_through_where_the_rule_says_so(engine):
    """At 98 a tick is 0.001 (five figures): two ticks beyond is 97.998."""
    venue = Venue(limit="through", ticks=2.0)
    short_of = [FLAT, Bar(100, 101, 97.9985, 99), FLAT]
    beyond = [FLAT, Bar(100, 101, 97.998, 99), FLAT]
    market = Market(size_decimals=2)
    trades, _, outcomes = told(engine, short_of, [limit(1, 98.0)], venue, market)
    assert (trades, outcomes[0]) == ([], "unfilled")
    trades, _, _ = told(engine, beyond, [limit(1, 98.0)], venue, market)
    assert trades[0].entry == 98.0


@ENGINES
def test_a_limit_gets_its_share_of_what_trades(engine):
    """10.2 coins wanted; a tenth of 40, then of 30, then of 200: 4, 3 and the last 3.2."""
    venue = Venue(limit="share", volume_share=0.1)
    dips = [Bar(100, 101, 98, 99, volume=volume) for volume in (40, 30, 200)]
    decision = limit(1, 98.0, good_for=9, notional=10.2 * 98)
    trades, marks, _ = told(engine, [FLAT, *dips, FLAT], [decision], venue)
    assert [coins for coins, _ in marks] == pytest.approx([0, 4, 7, 10.2, 0])
    assert trades[0].size == pytest.approx(10.2)


@ENGINES
def test_a_target_is_left_in_parts(engine):
    """10 coins; the first bar takes a tenth of 60, the gap the other 4 at 112."""
    venue = Venue(limit="share", volume_share=0.1)
    bars = [FLAT, Bar(100, 111, 99, 105, volume=60), Bar(112, 112, 112, 112, volume=1e3), FLAT]
    trades, marks, _ = told(engine, bars, [long(None, 0.10)], venue)
    assert [coins for coins, _ in marks] == pytest.approx([0, 4, 0, 0])
    assert (trades[0].reason, trades[0].left) == ("target", 2)
    assert trades[0].exit == pytest.approx((6 * 110 + 4 * 112) / 10)


@ENGINES
def test_a_limit_that_arrives_beyond_the_price_takes_and_pays_no_more_than_its_limit(engine):
    market = Market(bought=(0.05,), sold=(0.0,))
    venue = Venue(taker=0.001, maker=0.0)
    trade, _ = one(engine, [FLAT] * 3, limit(1, 102.0), venue=venue, market=market)
    assert (trade.entered, trade.entry) == (1, 102.0)  # 105 by its size
    assert trade.fees == pytest.approx(1.0 + 1000 / 102 * 100 * 0.001)


@ENGINES
def test_a_limit_that_rested_is_filled_at_an_open_beyond_it(engine):
    bars = [FLAT, Bar(100, 101, 99, 100), Bar(95, 96, 94, 95), FLAT]
    trade, _ = one(engine, bars, limit(1, 98.0, good_for=3))
    assert (trade.entered, trade.entry) == (2, 95)


@ENGINES
@pytest.mark.parametrize(("good_for", "outcome"), [(1, "unfilled"), (2, "opened")])
def test_an_order_rests_as_long_as_it_is_good_for(engine, good_for, outcome):
    bars = [FLAT, FLAT, Bar(100, 100, 97, 100), FLAT]
    _, _, outcomes = told(engine, bars, [limit(1, 98.0, good_for=good_for)])
    assert outcomes[0] == outcome


@ENGINES
def test_a_new_order_replaces_the_one_that_rests(engine):
    bars = [FLAT, FLAT, Bar(100, 100, 97, 100), FLAT]
    decisions = [limit(1, 98.0, good_for=5), limit(1, 97.5, good_for=5)]
    trades, _, outcomes = told(engine, bars, decisions)
    assert outcomes[:2] == ["unfilled", "opened"]
    assert trades[0].entry == 97.5


@ENGINES
@READINGS
def test_a_stop_entry_takes_at_its_price_or_at_a_gap(engine, optimistic):
    entry = enter(1, kind="stop", px=102.0, good_for=2)
    venue = Venue(taker=0.001)
    touched = [FLAT, Bar(100, 103, 99, 103), FLAT]
    trade, _ = one(engine, touched, entry, optimistic=optimistic, venue=venue)
    assert (trade.entered, trade.entry) == (1, 102)
    gapped = [FLAT, FLAT, Bar(104, 105, 104, 105), FLAT]
    trade, _ = one(engine, gapped, entry, optimistic=optimistic, venue=venue)
    assert (trade.entered, trade.entry) == (2, 104)
    assert trade.fees == pytest.approx(1.0 + 1000 / 104 * 100 * 0.001)


@ENGINES
@READINGS
def test_what_lies_ahead_of_a_limit_may_have_come_before_its_fill(engine, optimistic):
    """The high of 112 may be older than the fill at 98: only the hopeful reading gains."""
    bars = [FLAT, Bar(100, 112, 97, 99), FLAT]
    decision = enter(1, None, 0.10, kind="limit", px=98.0)
    trade, _ = one(engine, bars, decision, optimistic=optimistic)
    wanted = ("target", 98 * 1.1) if optimistic else ("end", 100)
    assert (trade.reason, trade.exit) == (wanted[0], pytest.approx(wanted[1]))
    assert trade.ambiguous


@ENGINES
@READINGS
def test_what_lies_behind_a_stop_entry_may_have_come_before_its_fill(engine, optimistic):
    bars = [FLAT, Bar(100, 103, 95, 103), FLAT]
    decision = enter(1, 0.05, kind="stop", px=102.0)
    trade, _ = one(engine, bars, decision, optimistic=optimistic)
    assert trade.reason == ("end" if optimistic else "stop")
    assert trade.ambiguous


@ENGINES
@READINGS
def test_a_trailing_stop_follows_the_best_price(engine, optimistic):
    """The best is 120 in bar 2; bar 3 falls to 107 and passes 108, a tenth below."""
    bars = [FLAT, Bar(100, 110, 100, 110), Bar(110, 120, 110, 120), Bar(119, 119, 107, 110)]
    trade, _ = one(engine, [*bars, FLAT], enter(1, trail_fraction=0.1), optimistic=optimistic)
    assert (trade.left, trade.exit, trade.reason) == (3, pytest.approx(108.0), "trail")
    assert not trade.ambiguous


@ENGINES
@READINGS
def test_a_bar_that_draws_its_trailing_stop_and_passes_it_is_ambiguous(engine, optimistic):
    """Up to 120, a tenth below is 108; the low of 105 came before or after."""
    bars = [FLAT, Bar(106, 120, 105, 115), FLAT]
    trade, _ = one(engine, bars, enter(1, trail_fraction=0.1), optimistic=optimistic)
    assert trade.ambiguous
    wanted = (2, 100) if optimistic else (1, 108)
    assert (trade.left, trade.exit) == pytest.approx(wanted)


@ENGINES
@THREE
def test_finer_bars_say_what_came_first(engine, reading):
    """The hour spans stop and target; its second minute gains before the third loses."""
    minutes = [Bar(100, 101, 99, 100), Bar(100, 111, 100, 110), Bar(110, 110, 90, 100)]
    hour = Bar(100, 111, 90, 100, volume=3e9, fine=minutes)
    trade, _ = one(engine, [FLAT, hour, FLAT], long(), venue=Venue(reading=reading))
    wanted = {"pessimistic": "stop", "optimistic": "target", "drilled": "target"}
    assert trade.reason == wanted[reading]
    assert trade.ambiguous == (reading != "drilled")


@ENGINES
def test_a_gap_between_finer_bars_fills_at_the_finer_open(engine):
    minutes = [Bar(100, 100, 98, 98), Bar(92, 93, 91, 93)]
    hour = Bar(100, 100, 91, 93, volume=2e9, fine=minutes)
    trade, _ = one(engine, [FLAT, hour, FLAT], long(), venue=Venue(reading="drilled"))
    assert (trade.exit, trade.reason) == (92, "stop")


@ENGINES
def test_who_trades_past_a_target_between_finer_bars_meets_it_first(engine):
    """At 110, not at 112: no resting order gives its price away to who comes for it."""
    minutes = [Bar(100, 101, 100, 101), Bar(112, 113, 112, 112)]
    hour = Bar(100, 113, 100, 112, volume=2e9, fine=minutes)
    trade, _ = one(engine, [FLAT, hour, FLAT], long(), venue=Venue(reading="drilled"))
    assert (trade.exit, trade.reason) == (pytest.approx(110), "target")


@ENGINES
@pytest.mark.parametrize(("opened", "left"), [(94, 94), (97, 93)])
def test_a_limit_between_finer_bars_fills_at_its_price(engine, opened, left):
    """At 98; a stop at 95 is passed by an open of 94, and met at the end of the next hour."""
    minutes = [Bar(100, 100, 99, 99), Bar(opened, 97, 94, 97)]
    hour = Bar(100, 100, 94, 97, volume=2e9, fine=minutes)
    bars = [FLAT, hour, Bar(93, 93, 93, 93)]
    rests = enter(1, kind="limit", px=98.0, stop_px=95.0 if opened == 94 else 90.0)
    trade, _ = one(engine, bars, rests, venue=Venue(reading="drilled"))
    assert (trade.entered, trade.entry, trade.exit) == (1, 98, left)


@ENGINES
@THREE
def test_a_decision_that_travels_arrives_at_a_finer_open(engine, reading):
    """It arrives with the second minute: at 105, after the high of 120."""
    minutes = [Bar(100, 120, 100, 105), Bar(105, 106, 104, 106)]
    hour = Bar(100, 120, 100, 106, volume=2e9, fine=minutes)
    venue = Venue(reading=reading)
    trade, _ = one(
        engine, [FLAT, hour, FLAT], long(), venue=venue, arrives=lambda t: (t + 1, 1)
    )
    assert (trade.entered, trade.entry, trade.reason) == (1, 105, "end")
    assert trade.best == 106


@ENGINES
def test_leaving_and_turning_happen_at_one_open(engine):
    bars = [FLAT, FLAT, Bar(104, 104, 104, 104), Bar(103, 103, 103, 103)]
    turn = replace(enter(-1), leave=True)
    trades, _, outcomes = told(engine, bars, [enter(1), turn])
    assert [(t.entered, t.left, t.reason) for t in trades] == [(1, 2, "left"), (2, 3, "end")]
    assert trades[0].exit == trades[1].entry == 104
    assert outcomes[:2] == ["opened", "opened"]


@ENGINES
@READINGS
def test_levels_move_when_the_decision_arrives(engine, optimistic):
    """Decided in bar 1, the stop of 99 is passed by bar 2's low and not by bar 1's."""
    bars = [FLAT, Bar(100, 100, 98, 100), Bar(100, 100, 98, 100), FLAT]
    moves = [long(), Decision(move_stop_px=99.0)]
    venue = Venue(reading="optimistic" if optimistic else "pessimistic")
    trades, _, _ = told(engine, bars, moves, venue)
    assert (trades[0].left, trades[0].exit, trades[0].stop) == (2, 99, 99)


@ENGINES
@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("word", [{"leave": True}, {"move_target_px": 100.5}])
def test_what_is_told_of_the_other_side_changes_nothing(engine, side, word):
    """A long of bar 1 would end in bar 2, at its open or at the new target."""
    bars = [FLAT, FLAT, Bar(100, 101, 100, 100), FLAT]
    told_of = Decision(only_side=side, **word)
    trades, _, _ = told(engine, bars, [enter(1), told_of])
    assert [trade.left for trade in trades] == [2 if side > 0 else 3]


@ENGINES
def test_slippage_is_by_size_and_only_for_what_takes(engine):
    """5,000 USD lie halfway between 1,000 (10 bp) and 9,000 (30 bp): 20 bp."""
    market = Market(sizes=(1e3, 9e3), bought=(0.001, 0.003), sold=(0.0, 0.0))
    bars = [FLAT, FLAT, Bar(100, 120, 100, 100), FLAT]
    trade, _ = one(engine, bars, long(None, 0.1, notional=5e3), market=market)
    assert (trade.entry, trade.exit) == pytest.approx((100.2, 110.22))
    assert trade.slippage == pytest.approx(5e3 * 0.002)


@ENGINES
def test_slippage_beyond_the_curve_grows_as_the_root_of_size(engine):
    market = Market(sizes=(1e3, 2e3), bought=(0.001, 0.002), sold=(0.0, 0.0))
    trade, _ = one(engine, [FLAT] * 3, enter(1, notional=8e3), market=market)
    assert trade.entry == pytest.approx(100.4)


@ENGINES
def test_a_share_of_equity_is_of_equity_at_the_fill(engine):
    bars = [FLAT, FLAT, Bar(110, 110, 110, 110), Bar(110, 110, 110, 110), FLAT]
    half = enter(1, notional=0.0, share=0.5, max_bars=1)
    trades, _, _ = told(engine, bars, [half, NOWHERE, half])
    assert trades[0].size * trades[0].entry == pytest.approx(5_000)
    assert trades[1].size * trades[1].entry == pytest.approx((10_000 + 500) / 2)


@ENGINES
@pytest.mark.parametrize(("notional", "outcome"), [(9.0, "refused"), (1_001.0, "refused")])
def test_what_is_too_small_or_too_large_is_refused(engine, notional, outcome):
    venue, ten = Venue(start_equity=100.0), Market(leverage=10.0)
    trades, _, outcomes = told(engine, [FLAT] * 3, [enter(1, notional=notional)], venue, ten)
    assert (trades, outcomes[0]) == ([], outcome)


@ENGINES
@pytest.mark.parametrize(("notional", "opened"), [(2_400.0, True), (2_600.0, False)])
def test_each_coin_takes_margin_by_its_own_leverage(engine, notional, opened):
    """Of 100 USD a position of 500 at 10 takes 50; 50 carry 2,500 of a coin at 50."""
    bars = [[FLAT, FLAT]] * 4
    decisions = [[enter(1, notional=500.0), NOWHERE], [NOWHERE, enter(1, notional=notional)]]
    decisions += [[NOWHERE, NOWHERE]] * 2
    markets = [Market(leverage=10.0), Market(leverage=50.0)]
    outcomes = engine(bars, decisions, markets, Venue(start_equity=100.0))[3]
    assert (outcomes[0][0], outcomes[1][1]) == ("opened", "opened" if opened else "refused")


@ENGINES
@READINGS
def test_a_position_is_liquidated_where_its_margin_is_gone(engine, optimistic):
    """10 coins at 100 behind 200 USD: 200 + 10 (p - 100) = p, at 800 / 9."""
    venue = Venue(start_equity=200.0)
    bars = [FLAT, Bar(100, 100, 85, 90), FLAT]
    trade, marks = one(engine, bars, enter(1), optimistic=optimistic, venue=venue, market=TENTH)
    px = 800 / 9
    assert (trade.reason, trade.exit) == ("liquidation", pytest.approx(px))
    # The backstop leaves nothing; closed at the market, what was maintenance is left.
    assert trade.forfeit == pytest.approx(0 if optimistic else px)
    assert marks[-1][1] == pytest.approx(px - 200 if optimistic else -200)


@ENGINES
@READINGS
def test_a_nearer_stop_fills_before_the_liquidation(engine, optimistic):
    venue = Venue(start_equity=200.0)
    bars = [FLAT, Bar(100, 100, 85, 90), FLAT]
    trade, _ = one(
        engine, bars, enter(1, 0.1), optimistic=optimistic, venue=venue, market=TENTH
    )
    assert (trade.reason, trade.exit) == ("stop", pytest.approx(90))


@ENGINES
@READINGS
def test_a_bar_that_opens_beyond_the_liquidation_liquidates(engine, optimistic):
    """The stop at 90 was nearer, and both are passed by the open at 85."""
    venue = Venue(start_equity=200.0)
    bars = [FLAT, FLAT, Bar(85, 86, 84, 85), FLAT]
    trade, _ = one(
        engine, bars, enter(1, 0.1), optimistic=optimistic, venue=venue, market=TENTH
    )
    assert (trade.reason, trade.exit) == ("liquidation", 85)


@ENGINES
def test_one_equity_stands_behind_all_coins(engine):
    """What the first coin loses brings the second's liquidation nearer."""
    calm, crash = Bar(100, 100, 97, 98), Bar(100, 100, 80, 80)
    bars = [[FLAT, FLAT], [FLAT, FLAT], [crash, calm], [FLAT, FLAT]]
    venue = replace(FREE, start_equity=300.0)
    both = [enter(1), enter(1)]
    rest = [[NOWHERE, NOWHERE]] * 3
    trades, _, _, _ = engine(bars, [both, *rest], [TENTH, TENTH], venue)
    assert [trade.reason for trade in trades] == ["liquidation", "liquidation"]
    alone, _, _, _ = engine(bars, [[NOWHERE, enter(1)], *rest], [TENTH, TENTH], venue)
    assert alone[0].reason == "end"


@ENGINES
@READINGS
def test_the_worst_of_all_coins_may_come_at_once(engine, optimistic):
    """300 USD behind 10 + 10 coins at 100; both bars fall to 90, a tenth is maintenance.

    With the other at its open, 300 + 10 (p - 100) = p + 100, at 800 / 9: not reached.  With
    the other at its low, 300 - 100 + 10 (p - 100) = p + 90, at 890 / 9: passed on the way.
    """
    reading = "optimistic" if optimistic else "pessimistic"
    dip = Bar(100, 100, 90, 95)
    bars = [[FLAT, FLAT], [dip, dip], [FLAT, FLAT]]
    both, rest = [enter(1), enter(1)], [NOWHERE, NOWHERE]
    # Held before the bar, so that each knows what the other may come to.
    bars.insert(1, [FLAT, FLAT])
    venue = Venue(start_equity=300.0, reading=reading)
    trades, _, _, _ = engine(bars, [both, rest, rest, rest], [TENTH, TENTH], venue)
    assert trades[0].reason == ("end" if optimistic else "liquidation")
    assert trades[0].exit == pytest.approx(100 if optimistic else 890 / 9)
