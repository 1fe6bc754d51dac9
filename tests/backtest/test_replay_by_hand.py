"""Every fill rule, worked by hand: entry notional 1,000 USD, no costs unless a case says so."""

from dataclasses import replace

import pytest

from tests.backtest.case import by_kernel, by_twin
from tests.reference.replay_bar import Bar as AnyBar
from tests.reference.replay_words import Decision, Market, Venue

FREE = Venue()
NOWHERE = Decision()
HERE = Market()
ENGINES = pytest.mark.parametrize("engine", [by_kernel, by_twin], ids=["kernel", "twin"])
READINGS = pytest.mark.parametrize(
    "optimistic", [False, True], ids=["pessimistic", "optimistic"]
)


def Bar(open, high, low, close, rate=0.0, volume=1e9, fine=(), oracle=None):
    return AnyBar(open, high, low, close, volume, rate, oracle, tuple(fine))


FLAT = Bar(100, 100, 100, 100)


def enter(side, stop=None, target=None, **more):
    return Decision(
        side, stop_fraction=stop, target_fraction=target, **{"notional": 1000.0, **more}
    )


def long(stop=0.05, target=0.10, **more):
    return enter(1, stop, target, **more)


def short(stop=0.05, target=0.10, **more):
    return enter(-1, stop, target, **more)


def told(engine, bars, decisions, venue=FREE, market=HERE, arrives=None):
    """Replay one coin; return trades, (coins, profit) at each close, outcomes."""
    made = [*decisions, *[NOWHERE] * (len(bars) - len(decisions))]
    trades, equity, position, outcomes = engine(
        [[bar] for bar in bars], [[one] for one in made], [market], venue, arrives
    )
    marks = [
        (held[0], worth - venue.start_equity)
        for held, worth in zip(position, equity, strict=True)
    ]
    return trades, marks, [row[0] for row in outcomes]


def one(engine, bars, decision, *, optimistic=False, venue=FREE, **more):
    """Decide once, at the close of the first bar, and return the only trade and the marks."""
    reading = "optimistic" if optimistic else venue.reading
    trades, marks, _ = told(engine, bars, [decision], replace(venue, reading=reading), **more)
    (trade,) = trades
    return trade, marks


@ENGINES
@READINGS
def test_a_decision_fills_at_the_next_open_and_not_at_its_close(engine, optimistic):
    bars = [FLAT, Bar(102, 103, 101, 103), Bar(104, 104, 104, 104)]
    trade, marks = one(engine, bars, long(), optimistic=optimistic)
    assert (trade.entered, trade.entry) == (1, 102)
    assert (trade.left, trade.exit, trade.reason) == (2, 104, "end")
    assert trade.size == pytest.approx(1000 / 102)
    # Marked at 103 while open, closed at 104: two dollars a coin.
    assert marks == [
        (0.0, 0.0),
        (pytest.approx(1000 / 102), pytest.approx(1000 / 102)),
        (0.0, pytest.approx(2000 / 102)),
    ]


@ENGINES
@READINGS
@pytest.mark.parametrize(
    ("decision", "entry_bar", "px"),
    [
        (long(0.05), Bar(100, 101, 94, 100), 95.0),
        (short(0.05), Bar(100, 106, 99, 100), 105.0),
    ],
    ids=["long", "short"],
)
def test_a_stop_is_watched_on_the_entry_bar(engine, optimistic, decision, entry_bar, px):
    trade, _ = one(engine, [FLAT, entry_bar, FLAT], decision, optimistic=optimistic)
    assert (trade.entered, trade.left, trade.reason) == (1, 1, "stop")
    assert trade.exit == pytest.approx(px)
    assert trade.pnl == pytest.approx(-50.0)
    assert not trade.ambiguous


@ENGINES
@READINGS
@pytest.mark.parametrize(
    ("decision", "entry_bar", "px"),
    [
        (long(0.05, 0.10), Bar(100, 111, 99, 100), 110.0),
        (short(0.05, 0.10), Bar(100, 101, 89, 100), 90.0),
    ],
    ids=["long", "short"],
)
def test_a_target_is_watched_on_the_entry_bar(engine, optimistic, decision, entry_bar, px):
    trade, _ = one(engine, [FLAT, entry_bar, FLAT], decision, optimistic=optimistic)
    assert (trade.left, trade.reason) == (1, "target")
    assert trade.exit == pytest.approx(px)
    assert trade.pnl == pytest.approx(100.0)
    assert not trade.ambiguous


@ENGINES
@READINGS
def test_levels_are_reached_by_touch(engine, optimistic):
    up = one(engine, [FLAT, Bar(100, 125, 99, 100)], long(0.5, 0.25), optimistic=optimistic)
    down = one(engine, [FLAT, Bar(100, 101, 50, 100)], long(0.5, 0.25), optimistic=optimistic)
    assert (up[0].reason, up[0].exit) == ("target", 125)
    assert (down[0].reason, down[0].exit) == ("stop", 50)


@ENGINES
@READINGS
@pytest.mark.parametrize(
    ("decision", "gap", "pnl"),
    [
        (long(0.05), Bar(90, 120, 88, 100), -100.0),
        (short(0.05), Bar(110, 112, 80, 100), -100.0),
    ],
    ids=["long", "short"],
)
def test_a_gap_through_the_stop_fills_at_the_open(engine, optimistic, decision, gap, pnl):
    """The bar goes on to span the target too: too late, and not ambiguous."""
    trade, _ = one(engine, [FLAT, FLAT, gap, FLAT], decision, optimistic=optimistic)
    assert (trade.left, trade.exit, trade.reason) == (2, gap.open, "stop")
    assert trade.pnl == pytest.approx(pnl)
    assert not trade.ambiguous


@ENGINES
@READINGS
@pytest.mark.parametrize(
    ("decision", "gap", "pnl"),
    [
        (long(0.05, 0.10), Bar(115, 118, 80, 100), 150.0),
        (short(0.05, 0.10), Bar(85, 120, 84, 100), 150.0),
    ],
    ids=["long", "short"],
)
def test_a_gap_through_the_target_fills_at_the_better_open(
    engine, optimistic, decision, gap, pnl
):
    trade, _ = one(engine, [FLAT, FLAT, gap, FLAT], decision, optimistic=optimistic)
    assert (trade.left, trade.exit, trade.reason) == (2, gap.open, "target")
    assert trade.pnl == pytest.approx(pnl)
    assert not trade.ambiguous


@ENGINES
@pytest.mark.parametrize("bar", [1, 2], ids=["entry bar", "later bar"])
@pytest.mark.parametrize(
    "decision", [long(0.05, 0.10), short(0.05, 0.10)], ids=["long", "short"]
)
@pytest.mark.parametrize(
    ("optimistic", "reason", "pnl"), [(False, "stop", -50.0), (True, "target", 100.0)]
)
def test_a_bar_that_spans_both_is_read_both_ways(
    engine, bar, decision, optimistic, reason, pnl
):
    bars = [FLAT] * 4
    bars[bar] = Bar(100, 112, 88, 100)
    trade, _ = one(engine, bars, decision, optimistic=optimistic)
    assert (trade.left, trade.reason, trade.ambiguous) == (bar, reason, True)
    assert trade.pnl == pytest.approx(pnl)


@ENGINES
@READINGS
def test_time_is_up_at_the_open_after_the_last_bar_held(engine, optimistic):
    bars = [FLAT, Bar(100, 101, 99, 101), Bar(101, 102, 100, 102), Bar(103, 130, 70, 100), FLAT]
    trade, _ = one(engine, bars, long(0.1, 0.2, max_bars=2), optimistic=optimistic)
    assert (trade.entered, trade.left, trade.exit) == (1, 3, 103)
    assert (trade.reason, trade.ambiguous) == ("time", False)


@ENGINES
def test_a_resting_target_fills_before_the_expiry_when_a_bar_opens_beyond_it(engine):
    bars = [FLAT, FLAT, Bar(125, 125, 125, 125), FLAT]
    trade, _ = one(engine, bars, long(0.1, 0.2, max_bars=1), venue=Venue(taker=0.001))
    assert (trade.left, trade.exit, trade.reason) == (2, 125, "target")
    assert trade.fees == pytest.approx(1.0)  # the entry alone: the target paid the maker's 0


@ENGINES
@READINGS
def test_what_is_open_at_the_end_closes_at_the_last_close(engine, optimistic):
    bars = [FLAT, FLAT, Bar(100, 104, 99, 103)]
    trade, marks = one(engine, bars, long(), optimistic=optimistic)
    assert (trade.left, trade.exit, trade.reason) == (2, 103, "end")
    assert marks[-1] == (0.0, pytest.approx(30.0))


@ENGINES
@pytest.mark.parametrize(
    ("decision", "sign"), [(long(), 1), (short(), -1)], ids=["long", "short"]
)
def test_longs_pay_a_positive_rate_and_shorts_receive_it(engine, decision, sign):
    """The entry at bar 1's open skips that stamp; the exit at bar 4's open pays that one."""
    decision = replace(decision, max_bars=3)
    rates = [0.5, 0.25, 0.001, 0.002, 0.004, 0.5]
    opens = [100, 100, 102, 104, 101, 100]
    bars = [Bar(px, px, px, px, rate) for px, rate in zip(opens, rates, strict=True)]
    trade, _ = one(engine, bars, decision)
    assert (trade.entered, trade.left, trade.reason) == (1, 4, "time")
    assert trade.funding == pytest.approx(sign * 10 * (0.102 + 0.208 + 0.404))
    assert trade.pnl == pytest.approx(sign * 10.0 - trade.funding)


@ENGINES
def test_funding_due_is_paid_by_who_leaves_at_that_open(engine):
    bars = [FLAT, FLAT, Bar(90, 90, 90, 90, 0.01), FLAT]
    trade, _ = one(engine, bars, long(0.05))
    assert (trade.left, trade.reason) == (2, "stop")
    assert trade.funding == pytest.approx(10 * 90 * 0.01)


@ENGINES
@pytest.mark.parametrize(
    ("bar", "reason", "exit_fee"),
    [
        (Bar(100, 100, 94, 100), "stop", 950 * 0.001),
        (Bar(100, 111, 100, 100), "target", 1100 * 0.0002),
        (Bar(100, 104, 99, 104), "end", 1040 * 0.001),
    ],
)
def test_a_target_makes_and_everything_else_takes(engine, bar, reason, exit_fee):
    trade, marks = one(
        engine, [FLAT, FLAT, bar], long(), venue=Venue(taker=0.001, maker=0.0002)
    )
    assert trade.reason == reason
    assert trade.fees == pytest.approx(1.0 + exit_fee)
    assert marks[1][1] == pytest.approx(-1.0)  # the entry is paid when it is made
    assert marks[-1][1] == pytest.approx(trade.pnl)


@ENGINES
def test_an_absolute_target_goes_before_a_distance(engine):
    bars = [FLAT, FLAT, Bar(100, 104, 99, 103), FLAT]
    decision = enter(1, 0.05, 0.02, target_px=103.5)
    trade, _ = one(engine, bars, decision)
    assert (trade.exit, trade.reason, trade.target) == (103.5, "target", 103.5)


@ENGINES
def test_without_levels_only_the_end_closes(engine):
    bars = [FLAT, FLAT, Bar(10, 500, 1, 50), FLAT]
    trade, _ = one(engine, bars, enter(1))
    assert (trade.left, trade.reason, trade.stop, trade.target) == (3, "end", None, None)


@ENGINES
def test_the_bar_that_exits_decides_again_at_its_close_and_not_before(engine):
    """Signals at every close.  Stopped inside bar 1; its close decides, bar 2's open fills."""
    bars = [FLAT, Bar(100, 100, 94, 99), Bar(98, 98, 98, 98), Bar(97, 97, 97, 97)]
    trades, _, _ = told(engine, bars, [long()] * 4)
    assert [(t.entered, t.left, t.reason) for t in trades] == [
        (1, 1, "stop"),
        (2, 3, "end"),
    ]


@ENGINES
def test_a_signal_while_a_position_is_open_is_not_taken(engine):
    """Held over the close of bar 2, so the exit at bar 3's open is not followed by an entry."""
    bars = [FLAT] * 6
    trades, _, _ = told(engine, bars, [long(max_bars=2)] * 6)
    assert [(t.entered, t.left) for t in trades] == [(1, 3), (4, 5)]


@ENGINES
def test_the_last_close_decides_nothing(engine):
    trades, marks, outcomes = told(engine, [FLAT] * 2, [NOWHERE, long()])
    assert (trades, outcomes) == ([], ["not taken"] * 2)
    assert marks == [(0.0, 0.0)] * 2
