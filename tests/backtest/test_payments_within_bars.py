"""Payments that fall due within a bar, worked by hand: 10 coins at 100 USD, no other costs.

A long pays 0.10, gets 0.20 and pays 0.30 USD a coin at the stamps of ``PAID``.
"""

from dataclasses import replace

import pytest

from tests.backtest.case import by_kernel, by_twin
from tests.backtest.test_replay_by_hand import (
    ENGINES,
    FLAT,
    FREE,
    HERE,
    Bar,
    enter,
    long,
    one,
    short,
    told,
)
from tests.reference.replay_words import Decision, Market

PAID = (0.10, -0.20, 0.30)
DUE = replace(FLAT, stamps=PAID)
# Ends a long with a stop 5 % below 100, and begins one at 98.
FALLS = replace(Bar(100, 100, 94, 96), stamps=PAID)
BOTH = pytest.mark.parametrize(
    ("optimistic", "longs", "shorts"), [(False, 0.40, 0.20), (True, -0.20, -0.40)]
)
# The same as fine bars: nothing, then 0.10 paid, 0.20 got as it falls, 0.30 paid.
FINE = (
    FLAT,
    replace(FLAT, funding_rate=0.001),
    replace(Bar(100, 100, 94, 96), funding_rate=-0.002),
    replace(Bar(96, 96, 96, 96), funding_rate=0.003, oracle=100.0),
)
DRILLED = replace(FREE, reading="drilled")


@ENGINES
@pytest.mark.parametrize("reading", ["pessimistic", "optimistic", "drilled"])
def test_who_holds_a_bar_through_pays_all_of_it(engine, reading):
    venue = replace(FREE, reading=reading)
    trade, marks = one(engine, [FLAT, DUE, FLAT, DUE], long(), venue=venue)
    assert (trade.funding, trade.pnl) == pytest.approx((4.0, -4.0))
    assert not trade.ambiguous
    assert [profit for _, profit in marks] == pytest.approx([0.0, -2.0, -2.0, -4.0])


@ENGINES
def test_a_short_gets_what_a_long_pays(engine):
    trade, _ = one(engine, [FLAT, DUE, FLAT], short())
    assert trade.funding == pytest.approx(-2.0)


@ENGINES
def test_what_is_due_at_the_open_and_within_are_both_paid(engine):
    """The bar opens with 0.10 USD a coin due, which who enters there does not pay."""
    bar = replace(DUE, funding_rate=0.001)
    trade, _ = one(engine, [FLAT, bar, bar], long())
    assert trade.funding == pytest.approx(10 * (0.20 + 0.10 + 0.20))


@ENGINES
@BOTH
def test_who_ends_within_a_bar_pays_what_costs_or_gets_what_brings(
    engine, optimistic, longs, shorts
):
    trade, _ = one(engine, [FLAT, FALLS], long(), optimistic=optimistic)
    assert (trade.reason, trade.exit) == ("stop", 95.0)
    assert trade.funding == pytest.approx(10 * longs)
    assert trade.pnl == pytest.approx(-50.0 - 10 * longs)
    assert trade.ambiguous
    falls = one(engine, [FLAT, FALLS], short(target=0.05), optimistic=optimistic)[0]
    assert falls.reason == "target"
    assert falls.funding == pytest.approx(10 * shorts)


@ENGINES
@BOTH
def test_who_begins_within_a_bar_does_so_too_and_pays_the_next_in_full(
    engine, optimistic, longs, shorts
):
    limit = long(stop=0.5, target=None, kind="limit", px=98.0)
    bars = [FLAT, FALLS, replace(DUE, funding_rate=0.001), FLAT]
    trade, _ = one(engine, bars, limit, optimistic=optimistic)
    coins = 1000 / 98
    assert (trade.entered, trade.reason) == (1, "end")
    assert trade.funding == pytest.approx(coins * (longs + 0.10 + 0.20))
    assert trade.ambiguous


@ENGINES
@BOTH
def test_who_begins_and_ends_within_a_bar_may_have_been_there_for_any_of_it(
    engine, optimistic, longs, shorts
):
    limit = long(stop=0.03, kind="limit", px=98.0)
    trade, _ = one(engine, [FLAT, FALLS], limit, optimistic=optimistic)
    assert (trade.entered, trade.left, trade.reason) == (1, 1, "stop")
    assert trade.funding == pytest.approx(1000 / 98 * longs)


@ENGINES
def test_who_leaves_a_part_within_a_bar_pays_as_for_all_of_it(engine):
    """A target that gets 4 of 10 coins; the other 6 hold the next bar through."""
    venue = replace(FREE, limit="share", volume_share=0.5)
    rises = replace(Bar(100, 111, 100, 110), volume=8.0, stamps=PAID)
    after = replace(Bar(105, 105, 105, 105), stamps=PAID)
    trade, _ = one(engine, [FLAT, rises, after], long(stop=None), venue=venue)
    assert trade.reason == "end"
    assert trade.funding == pytest.approx(10 * 0.40 + 6 * 0.20)
    assert trade.ambiguous


@ENGINES
def test_who_ends_at_an_open_pays_nothing_within_that_bar(engine):
    gaps = replace(Bar(90, 90, 90, 90), stamps=PAID)
    trade, _ = one(engine, [FLAT, DUE, gaps], long())
    assert (trade.left, trade.exit) == (2, 90.0)
    assert trade.funding == pytest.approx(2.0)
    assert not trade.ambiguous


@ENGINES
def test_finer_bars_say_which_payments_came_before_the_end(engine):
    bar = replace(FALLS, fine=FINE)
    trade, _ = one(engine, [FLAT, bar], long(), venue=DRILLED)
    assert (trade.reason, trade.exit) == ("stop", 95.0)
    assert trade.funding == pytest.approx(10 * (0.10 - 0.20))
    assert not trade.ambiguous


@ENGINES
def test_what_falls_due_within_a_finer_bar_is_bounded_there_alone(engine):
    fine = (FINE[0], replace(FINE[1], stamps=(0.05,)), replace(FINE[2], stamps=(0.07, -0.01)))
    bar = replace(FALLS, fine=fine, stamps=(0.10, 0.05, -0.20, 0.07, -0.01))
    trade, _ = one(engine, [FLAT, bar], long(), venue=DRILLED)
    assert trade.funding == pytest.approx(10 * (0.10 + 0.05 - 0.20 + 0.07))
    assert trade.ambiguous


@ENGINES
def test_what_was_due_before_the_first_trade_is_paid_by_who_entered_at_the_open(engine):
    """Nothing traded until after the first stamp: it is due at the first finer bar there is."""
    fine = (replace(FLAT, funding_rate=0.001), FLAT)
    bar = replace(FLAT, fine=fine, stamps=(0.10,))
    trade, _ = one(engine, [FLAT, bar, FLAT], long(), venue=DRILLED)
    assert trade.funding == pytest.approx(1.0)


@ENGINES
@pytest.mark.parametrize("reading", ["pessimistic", "optimistic", "drilled"])
def test_an_order_that_arrives_within_a_bar_pays_from_there_on(engine, reading):
    """It arrives with the third finer bar, at whose open 0.20 is due to who held before."""
    calm = tuple(replace(FLAT, funding_rate=rate) for rate in (0.0, 0.001, -0.002, 0.003))
    bar = replace(FLAT, fine=calm, stamps=PAID)
    venue = replace(FREE, reading=reading)
    there = {"venue": venue, "arrives": lambda t: (t + 1, 2)}
    trade, _ = one(engine, [FLAT, bar, FLAT], long(), **there)
    assert trade.funding == pytest.approx(10 * 0.30)
    assert not trade.ambiguous
    trades, _, _ = told(engine, [FLAT, bar, bar, FLAT], [long(), Decision(leave=True)], **there)
    assert (trades[0].left, trades[0].reason) == (2, "left")
    assert trades[0].funding == pytest.approx(10 * (0.30 + 0.10 - 0.20))
    assert not trades[0].ambiguous


# 1,000 USD on 100 USD of equity, of which 50 must stay.
THIN = replace(HERE, tiers=((0.05, 0.0),))
POOR = replace(FREE, start_equity=100.0)


@ENGINES
def test_payments_take_a_margin(engine):
    """60 USD are due: 40 are left, fewer than 50."""
    bars = [FLAT, replace(FLAT, stamps=(6.0,)), FLAT]
    held = enter(1)
    trade, _ = one(engine, bars, held, venue=POOR, market=THIN)
    assert (trade.left, trade.reason, trade.exit) == (1, "liquidation", 100.0)
    assert (trade.funding, trade.forfeit) == pytest.approx((60.0, 50.0))
    assert trade.ambiguous
    # Read for the better it ended at the next open, where it is known to be paid.
    later, _ = one(engine, bars, held, venue=POOR, market=THIN, optimistic=True)
    assert (later.left, later.reason, later.funding) == (2, "liquidation", 60.0)


@ENGINES
def test_payments_that_come_back_may_have_taken_a_margin_before(engine):
    bars = [FLAT, replace(FLAT, stamps=(6.0, -6.0)), FLAT]
    trade, _ = one(engine, bars, enter(1), venue=POOR, market=THIN)
    assert (trade.reason, trade.funding) == ("liquidation", 60.0)
    held, _ = one(engine, bars, enter(1), venue=POOR, market=THIN, optimistic=True)
    assert (held.reason, held.funding) == ("end", 0.0)


def two(engine, first, second, venue):
    """Two coins, 500 USD of each, and the bar that both go through."""
    half = Decision(1, notional=500.0)
    rows = [[FLAT, FLAT], [first, second], [FLAT, FLAT]]
    nothing = [[Decision(), Decision()]] * 2
    trades, *_ = engine(rows, [[half, half], *nothing], [THIN, THIN], venue)
    return {trade.coin: trade for trade in trades}


@ENGINES
def test_what_another_coin_may_owe_is_no_margin(engine):
    """The second owes 60 of 100 USD; the first goes before it, and both must leave 50."""
    found = two(engine, FLAT, replace(FLAT, stamps=(12.0,)), POOR)
    assert [found[coin].reason for coin in (0, 1)] == ["liquidation"] * 2
    assert [found[coin].funding for coin in (0, 1)] == pytest.approx([0.0, 60.0])
    # What it may get is none either: -60 would carry a fall of 20 %.
    falls = two(engine, Bar(100, 100, 80, 80), replace(FLAT, stamps=(-12.0,)), POOR)
    assert falls[0].reason == "liquidation"
    hopes = replace(POOR, reading="optimistic")
    held = two(engine, Bar(100, 100, 89, 100), replace(FLAT, stamps=(-12.0,)), hopes)
    assert held[0].reason == "end"


@ENGINES
def test_who_went_through_goes_down_with_the_account_and_with_what_it_owed(engine):
    """The first paid 30 and got it back, nobody knows in which order, as the second falls."""
    venue = replace(POOR, taker=0.001)
    found = two(engine, replace(FLAT, stamps=(6.0, -6.0)), Bar(100, 100, 94, 95), venue)
    assert [found[coin].reason for coin in (0, 1)] == ["liquidation"] * 2
    assert found[0].funding == pytest.approx(30.0)
    assert found[0].ambiguous
    calm = two(engine, FLAT, Bar(100, 100, 94, 95), venue)
    assert [calm[coin].reason for coin in (0, 1)] == ["end"] * 2


@pytest.mark.parametrize("engine", [by_kernel, by_twin])
def test_a_market_without_tiers_pays_however_poor_the_account(engine):
    bars = [FLAT, replace(FLAT, stamps=(60.0,)), FLAT]
    trade, _ = one(engine, bars, enter(1), venue=POOR, market=Market())
    assert (trade.reason, trade.funding) == ("end", 600.0)
