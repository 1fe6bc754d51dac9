"""What holds of attempts at the market whatever the bars, the stops and the sizes are."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.backtest.case import by_kernel
from tests.backtest.test_replay_kernel import bars
from tests.reference.replay_bar import Bar
from tests.reference.replay_words import Decision, Market, Venue

# The impact law at sizes that it is laid down at; what is forced pays more.
SIZES = (1e3, 1e4, 1e5, 1e6)
LAW = tuple(1e-4 + 0.05 * (size / 1e8) ** 0.5 for size in SIZES)
WORSE = tuple(4 * given for given in LAW)
MARKET = Market(
    sizes=SIZES, bought=LAW, sold=LAW, forced_bought=WORSE, forced_sold=WORSE, leverage=1e9
)
READINGS = st.sampled_from(["pessimistic", "optimistic", "drilled"])
SMALL_AND_LARGE = (1e3, 1e5, 1e7, 1e9)
# So many bars from one decision to the next that the one is out when the other is made.
APART = 3


def worth_of(reading):
    return Venue(reading=reading, taker=0.00045, maker=0.00015, start_equity=1e15)


def play(rows, wanted, reading):
    """Return trades, and what became of each decision to enter."""
    trades, _, _, outcomes = by_kernel(
        [[bar] for bar in rows], [[one] for one in wanted], [MARKET], worth_of(reading)
    )
    return trades, [row[0] for row, one in zip(outcomes, wanted, strict=True) if one.side != 0]


stops = st.none() | st.sampled_from([1e-4, 0.003, 0.02, 0.1])
there = bars().filter(lambda bar: bar is not None)


@st.composite
def worlds(draw):
    """Bars without a hole, and decisions at the market that are out before the next is made."""
    rows = [draw(there) for _ in range(APART * draw(st.integers(1, 3)) + 1)]
    wanted = [Decision() for _ in rows]
    for t in range(0, len(rows) - 1, APART):
        wanted[t] = Decision(
            draw(st.sampled_from([1, -1])),
            stop_fraction=draw(stops),
            target_fraction=draw(stops),
            max_bars=1,
            notional=1e3,
        )
    return rows, wanted


FALLS = [Bar(100, 100, 100, 100), Bar(100, 101, 90, 90), Bar(90, 90, 80, 80)]
ENTER = [Decision(1, stop_fraction=0.02, max_bars=1, notional=1e3), Decision(), Decision()]


@given(world=worlds(), reading=READINGS)
@example(world=(FALLS, ENTER), reading="pessimistic")
def test_attempts_at_the_market_do_not_depend_on_size(world, reading):
    rows, wanted = world
    for notional in SMALL_AND_LARGE:
        sized = [replace(one, notional=notional if one.side else 0.0) for one in wanted]
        trades, outcomes = play(rows, sized, reading)
        assert outcomes == ["opened"] * len(outcomes)
        assert len(trades) == len(outcomes)


@given(world=worlds(), reading=READINGS, notional=st.sampled_from(SMALL_AND_LARGE))
@example(world=(FALLS, ENTER), reading="pessimistic", notional=1e7)
def test_a_tighter_stop_makes_no_attempt_one_that_earns_nothing(world, reading, notional):
    """Whoever takes pays for it twice: an attempt that is stopped at once has lost."""
    rows, wanted = world
    rows = [replace(bar, funding_rate=0.0, stamps=()) for bar in rows]
    rows = [
        replace(bar, fine=tuple(replace(one, funding_rate=0.0, stamps=()) for one in bar.fine))
        for bar in rows
    ]
    for tight in (1e-6, 1e-4, 1e-2):
        tighter = [
            replace(one, notional=notional, stop_fraction=tight, target_fraction=None)
            if one.side
            else one
            for one in wanted
        ]
        trades, outcomes = play(rows, tighter, reading)
        assert outcomes == ["opened"] * len(outcomes)
        assert len(trades) == len(outcomes)
        for one in trades:
            if one.reason == "stop":
                assert one.pnl < 0


@given(world=worlds(), reading=READINGS, far=st.sampled_from([0.01, 0.05, 0.3]))
@example(world=(FALLS, ENTER), reading="pessimistic", far=0.05)
def test_the_mean_attempt_never_rises_with_size_where_nothing_fills_by_limit(
    world, reading, far
):
    """Stops are prices here: as distances from a fill they are nearer for who pays more."""
    rows, wanted = world
    at_prices = [
        replace(
            one,
            stop_fraction=None,
            target_fraction=None,
            stop_px=rows[t].close * (1 - one.side * far),
        )
        if one.side
        else one
        for t, one in enumerate(wanted)
    ]
    # Funding is of coins, and the more was paid for each, the fewer there are.
    means = []
    for notional in SMALL_AND_LARGE:
        sized = [replace(one, notional=notional) if one.side else one for one in at_prices]
        trades, outcomes = play(rows, sized, reading)
        earned = [(one.pnl + one.funding) / abs(one.size * one.entry) for one in trades]
        means.append(sum(earned) / len(outcomes))
    for smaller, larger in pairwise(means):
        assert larger <= smaller + 1e-12


CASE = {"world": (FALLS, ENTER), "reading": "pessimistic"}
# What is left out, though the venue filled it: who was stopped at once, or who was large.
FAULTS = {
    test_attempts_at_the_market_do_not_depend_on_size: (
        CASE,
        lambda one: one.reason == "stop" and one.entered == one.left,
    ),
    test_a_tighter_stop_makes_no_attempt_one_that_earns_nothing: (
        {**CASE, "notional": 1e7},
        lambda one: one.reason == "stop" and one.entered == one.left,
    ),
    test_the_mean_attempt_never_rises_with_size_where_nothing_fills_by_limit: (
        {**CASE, "far": 0.05},
        lambda one: abs(one.size * one.entry) > 1e6,
    ),
}


@pytest.mark.parametrize("holds", FAULTS, ids=lambda one: one.__name__)
def test_a_venue_that_leaves_out_what_its_own_slippage_stops_is_caught(monkeypatch, holds):
    case, is_left_out = FAULTS[holds]
    honest = by_kernel
    holds.hypothesis.inner_test(**case)

    def forgets(*args):
        trades, equity, position, outcomes = honest(*args)
        for one in filter(is_left_out, trades):
            outcomes[one.decided][0] = "unfilled"
        kept = [one for one in trades if not is_left_out(one)]
        return kept, equity, position, outcomes

    monkeypatch.setitem(globals(), "by_kernel", forgets)
    with pytest.raises(AssertionError):
        holds.hypothesis.inner_test(**case)
