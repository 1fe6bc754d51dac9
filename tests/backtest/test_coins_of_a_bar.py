"""What coins of one account know of each other within a bar, worked by hand."""

from dataclasses import replace

import pytest

from tests.backtest.case import by_kernel, by_twin
from tests.reference.replay_bar import Bar as AnyBar
from tests.reference.replay_words import Decision, Market, Venue

ENGINES = pytest.mark.parametrize("engine", [by_kernel, by_twin], ids=["kernel", "twin"])
TURNS = pytest.mark.parametrize("first", [0, 1], ids=["it is first", "the other is"])
READINGS = pytest.mark.parametrize("reading", ["pessimistic", "optimistic", "drilled"])
VENUE = Venue(start_equity=10_000.0)
HALF = Decision(1, share=0.5)


def Bar(open, high, low, close):
    return AnyBar(open, high, low, close, 1e9, 0.0, None, ())


FLAT = Bar(100, 100, 100, 100)
RISES = Bar(100, 120, 100, 120)


def told(engine, first, one, other, venue=VENUE, leverage=50.0, tiers=None):
    """Replay (bars, decisions by bar) of two coins; return the trades of each, and outcomes."""
    coins = [one, other] if first == 0 else [other, one]
    bars = [list(row) for row in zip(*(bars for bars, _ in coins), strict=True)]
    wanted = [[made.get(t, Decision()) for _, made in coins] for t in range(len(bars))]
    markets = [Market(leverage=leverage, tiers=tiers)] * 2
    trades, equity, _, outcomes = engine(bars, wanted, markets, venue)
    mine = [[trade for trade in trades if trade.coin == coin] for coin in (first, 1 - first)]
    return *mine, [row[1 - first] for row in outcomes], equity


@ENGINES
@TURNS
@READINGS
def test_a_size_at_an_open_knows_no_close_of_the_other_coin(engine, first, reading):
    """50 coins of the one stand at 100 when the other opens, whatever their close will be."""
    one = [FLAT, FLAT, RISES, FLAT], {0: Decision(1, notional=5_000.0)}
    other = [FLAT] * 4, {1: HALF}
    _, (trade,), _, _ = told(engine, first, one, other, replace(VENUE, reading=reading))
    assert (trade.entered, trade.size) == (2, 50.0)


@ENGINES
@TURNS
@READINGS
def test_a_size_within_a_bar_knows_no_profit_of_it_in_the_other_coin(engine, first, reading):
    """The target at 110 is met in the bar in which the limit is."""
    one = [FLAT, FLAT, RISES, FLAT], {0: Decision(1, notional=5_000.0, target_fraction=0.1)}
    other = (
        [FLAT, FLAT, Bar(100, 100, 80, 100), FLAT],
        {1: replace(HALF, kind="limit", px=80.0)},
    )
    venue = replace(VENUE, reading=reading)
    (gain,), (trade,), _, _ = told(engine, first, one, other, venue)
    assert (gain.left, gain.reason) == (2, "target")
    assert (trade.entered, trade.size) == (2, 5_000.0 / 80)


@ENGINES
@TURNS
def test_all_leave_at_an_open_before_any_enters(engine, first):
    """All margin is bound by the one until that open, and by the other from then on."""
    one = [FLAT] * 5, {0: Decision(1, notional=10_000.0, max_bars=2)}
    other = [FLAT] * 5, {2: Decision(1, notional=10_000.0)}
    (left,), (entered,), _, _ = told(engine, first, one, other, leverage=1.0)
    assert (left.left, left.reason) == (3, "time")
    assert entered.entered == 3


@ENGINES
@TURNS
def test_margin_that_is_left_within_a_bar_is_not_there_in_it(engine, first):
    """Which came first, the stop of the one or the limit of the other, nobody knows."""
    falls = Bar(100, 100, 80, 100)
    one = [FLAT, FLAT, falls, FLAT, FLAT], {0: Decision(1, notional=6_000.0, stop_px=99.0)}
    limit = Decision(1, notional=6_000.0, kind="limit", px=90.0)
    other = [FLAT, FLAT, falls, falls, FLAT], {1: limit, 2: limit}
    (stopped,), (trade,), outcomes, _ = told(engine, first, one, other, leverage=1.0)
    assert (stopped.left, stopped.reason) == (2, "stop")
    assert outcomes[1:3] == ["refused", "opened"]
    assert trade.entered == 3


@ENGINES
@TURNS
def test_equity_at_a_close_takes_all_coins_at_theirs(engine, first):
    one = [FLAT, FLAT, RISES, RISES], {0: Decision(1, notional=5_000.0)}
    other = [FLAT, FLAT, Bar(100, 100, 90, 90), FLAT], {0: Decision(1, notional=1_000.0)}
    *_, equity = told(engine, first, one, other)
    assert equity == [10_000.0, 10_000.0, 10_900.0, 11_000.0]


@ENGINES
@TURNS
@READINGS
def test_coins_that_enter_within_one_bar_may_be_at_their_worst_at_once(engine, first, reading):
    """Both buy 555.6 coins at 90; both at 80 they would have lost 11,111 of 10,000 USD."""
    enter = Decision(1, notional=50_000.0, kind="limit", px=90.0)
    coin = [FLAT, FLAT, Bar(100, 130, 80, 90), FLAT], {1: enter}
    venue = replace(VENUE, reading=reading)
    mine, others, _, _ = told(engine, first, coin, coin, venue, tiers=((0.0125, 0.0),))
    ends = sorted(trade.reason for trade in (*mine, *others))
    assert ends == ["end" if reading == "optimistic" else "liquidation"] * 2
