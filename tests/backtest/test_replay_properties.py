"""What holds of the replay whatever the bars and decisions are."""

from dataclasses import replace

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from tests.backtest.case import by_kernel
from tests.backtest.test_replay_kernel import bars, decisions, markets, venues
from tests.reference.replay_bar import Bar
from tests.reference.replay_words import Decision, Market, Venue

# Nothing is refused or liquidated for want of money: what an account of its own has earned
# before must not matter where two accounts are compared.
RICH = {"start_equity": 1e9}
READING = st.sampled_from(["pessimistic", "optimistic", "drilled"])
FREE = Market(sizes=(1_000.0,), bought=(0.0,), sold=(0.0,), leverage=1e6)
PX = ("px", "stop_px", "target_px", "move_stop_px", "move_target_px")


@st.composite
def worlds(draw, most=9):
    """Bars and decisions of one coin; sizes are fixed."""
    n = draw(st.integers(2, most))
    rows = [draw(bars()) for _ in range(n)]
    return rows, [replace(draw(decisions()), share=0.0) for _ in range(n)]


def told(rows, wanted, market, venue):
    trades, equity, position, _ = by_kernel(
        [[bar] for bar in rows], [[one] for one in wanted], [market], venue
    )
    return trades, equity, [held for (held,) in position]


def where(trade, shift=0):
    at = (trade.decided + shift, trade.entered + shift, trade.left + shift)
    return (*at, trade.reason, trade.kind, trade.ambiguous)


MONEY = ("size", "entry", "exit", "worst", "best", "fees", "funding", "slippage", "pnl")


def changed(bar, px, per_coin=1.0, **more):
    """A bar with other prices, its finer bars too; high and low stay the outer ones."""
    if bar is None:
        return None
    ends = sorted((px(bar.high), px(bar.low)))
    return replace(
        bar,
        open=px(bar.open),
        close=px(bar.close),
        low=ends[0],
        high=ends[1],
        oracle=None if bar.oracle is None else px(bar.oracle),
        fine=tuple(changed(one, px, per_coin, **more) for one in bar.fine),
        stamps=tuple(paid * per_coin for paid in bar.stamps),
        **{name: change(getattr(bar, name)) for name, change in more.items()},
    )


def unfunded(bar):
    """A bar on which nothing falls due; in the mirror payments are of other prices."""
    if bar is None:
        return None
    fine = tuple(unfunded(one) for one in bar.fine)
    return replace(bar, funding_rate=0.0, stamps=(), fine=fine)


def moved(decision, px, **more):
    levels = {name: getattr(decision, name) for name in PX}
    levels = {name: None if one is None else px(one) for name, one in levels.items()}
    return replace(decision, **levels, **more)


@given(
    world=worlds(),
    market=markets,
    venue=venues,
    fees=st.lists(st.sampled_from([0.0, 0.0001, 0.00045, 0.002]), min_size=4, max_size=4),
)
def test_fees_only_cost(world, market, venue, fees):
    taker, maker = sorted(fees[:2]), sorted(fees[2:])
    venue, market = replace(venue, **RICH), replace(market, tiers=None, leverage=1e6)
    cheap, dear = (
        told(*world, market, replace(venue, taker=taker[at], maker=maker[at])) for at in (0, 1)
    )
    assert [where(one) for one in cheap[0]] == [where(one) for one in dear[0]]
    for one, other in zip(cheap[0], dear[0], strict=True):
        assert (one.entry, one.exit, one.size) == (other.entry, other.exit, other.size)
        assert one.fees <= other.fees
        assert other.pnl - one.pnl == pytest.approx(one.fees - other.fees, abs=1e-9)
    for one, other in zip(cheap[1], dear[1], strict=True):
        assert other <= one + 1e-6


@given(pick=st.integers(0, 99), world=worlds(most=14), market=markets, venue=venues)
def test_a_period_that_is_split_where_nothing_is_open_has_the_same_trades(
    pick, world, market, venue
):
    rows, wanted = world
    venue, market = replace(venue, **RICH), replace(market, tiers=None, leverage=1e6)
    trades, _, position = told(rows, wanted, market, venue)
    cuts = [
        cut
        for cut in range(1, len(rows))
        if position[cut - 1] == 0.0
        and wanted[cut - 1].side == 0
        and not any(one.decided < cut <= one.entered for one in trades)
    ]
    if not cuts:
        reject()
    cut = cuts[pick % len(cuts)]
    early, _, _ = told(rows[:cut], wanted[:cut], market, venue)
    late, _, _ = told(rows[cut:], wanted[cut:], market, venue)
    joined = [*early, *late]
    at = [*(where(one) for one in early), *(where(one, cut) for one in late)]
    assert at == [where(one) for one in trades]
    for one, other in zip(joined, trades, strict=True):
        for name in MONEY:
            wanted_ = pytest.approx(getattr(other, name), rel=1e-9, abs=1e-9)
            assert getattr(one, name) == wanted_, name


@given(
    world=worlds(),
    market=markets,
    venue=venues.filter(lambda one: one.limit != "through"),
    times=st.sampled_from([0.125, 0.5, 2.0, 64.0]),
)
def test_prices_in_another_unit_change_coins_and_nothing_else(world, market, venue, times):
    """Ticks are of a price as it is written, so limits fill here by touch or share."""
    rows, wanted = world
    scaled = [
        changed(bar, lambda px: px * times, times, volume=lambda coins: coins / times)
        for bar in rows
    ]
    other_wanted = [moved(one, lambda px: px * times) for one in wanted]
    trades, equity, position = told(rows, wanted, market, venue)
    others, worth, held = told(scaled, other_wanted, market, venue)
    assert [where(one) for one in trades] == [where(one) for one in others]
    for one, other in zip(trades, others, strict=True):
        assert other.size * times == pytest.approx(one.size)
        assert other.entry / times == pytest.approx(one.entry)
        assert other.exit / times == pytest.approx(one.exit)
        for name in ("fees", "funding", "slippage", "forfeit", "pnl"):
            assert getattr(other, name) == pytest.approx(getattr(one, name), abs=1e-8), name
    assert worth == pytest.approx(equity)
    assert [coins * times for coins in held] == pytest.approx(position)


@given(world=worlds(), reading=READING)
def test_in_the_mirror_longs_are_shorts(world, reading):
    """Prices are mirrored about 100: levels are given as prices, and each coin earns alike."""
    rows, wanted = world
    free = {"stop_fraction": None, "target_fraction": None, "trail_fraction": None}
    wanted = [replace(one, **free) for one in wanted]
    rows = [unfunded(bar) for bar in rows]

    def mirror(px):
        return 200.0 - px

    venue = Venue(reading=reading, **RICH)
    trades, _, position = told(rows, wanted, FREE, venue)
    others, _, held = told(
        [changed(bar, mirror) for bar in rows],
        [moved(one, mirror, side=-one.side, only_side=-one.only_side) for one in wanted],
        FREE,
        venue,
    )
    assert [where(one) for one in trades] == [where(one) for one in others]
    for one, other in zip(trades, others, strict=True):
        for name in ("entry", "exit", "worst", "best"):
            assert mirror(getattr(other, name)) == pytest.approx(getattr(one, name)), name
        assert other.pnl / abs(other.size) == pytest.approx(one.pnl / abs(one.size), abs=1e-9)
        assert other.size * one.size < 0
    assert [coin > 0 for coin in position] == [coin < 0 for coin in held]


@given(world=worlds(), market=markets, venue=venues)
def test_no_loss_is_more_than_the_worst_price_says_and_no_gain_than_the_best(
    world, market, venue
):
    trades, _, _ = told(*world, market, venue)
    for one in trades:
        way = 1 if one.size > 0 else -1
        rounding = 1e-9 * one.entry
        for px in (one.entry, one.exit):
            assert way * (px - one.worst) >= -rounding
            assert way * (one.best - px) >= -rounding
        if one.reason == "stop":
            assert way * (one.stop - one.worst) >= -rounding


# Up to a target, then down to a stop, each with a way of its own and at rest in between.
RISES, FALLS = Bar(100, 104, 99, 103), Bar(100, 101, 96, 97)
WORLD = (
    [Bar(100, 101, 99, 100), RISES, RISES, Bar(100, 101, 99, 100), FALLS, FALLS],
    [
        Decision(1, stop_px=97.5, target_px=103.0, notional=1_000.0),
        Decision(),
        Decision(),
        Decision(1, stop_px=97.5, target_px=103.0, notional=1_000.0),
        Decision(),
        Decision(),
    ],
)
CASES = {
    test_fees_only_cost: (
        {"world": WORLD, "market": FREE, "venue": Venue(), "fees": [0.0, 1e-3, 0.0, 1e-3]},
        lambda at, one: replace(one, pnl=one.pnl + 2 * one.fees),
    ),
    test_a_period_that_is_split_where_nothing_is_open_has_the_same_trades: (
        {"pick": 1, "world": WORLD, "market": FREE, "venue": Venue()},
        lambda at, one: replace(one, pnl=one.pnl + at),
    ),
    test_prices_in_another_unit_change_coins_and_nothing_else: (
        {"world": WORLD, "market": FREE, "venue": Venue(), "times": 2.0},
        lambda at, one: replace(one, pnl=one.pnl + 0.01 * one.exit),
    ),
    test_no_loss_is_more_than_the_worst_price_says_and_no_gain_than_the_best: (
        {"world": WORLD, "market": replace(FREE, sold=(0.01,)), "venue": Venue()},
        lambda at, one: replace(one, worst=one.stop),
    ),
    test_in_the_mirror_longs_are_shorts: (
        {"world": WORLD, "reading": "pessimistic"},
        lambda at, one: replace(one, exit=1.01 * one.exit),
    ),
}


@pytest.mark.parametrize("holds", CASES, ids=lambda one: one.__name__)
def test_a_replay_that_breaks_a_property_is_caught(monkeypatch, holds):
    """Fees that pay, profits that know what came before, are of a unit, or favour a side."""
    case, fault = CASES[holds]
    honest = by_kernel
    holds.hypothesis.inner_test(**case)

    def faulty(*args):
        trades, *rest = honest(*args)
        return [fault(at, one) for at, one in enumerate(trades)], *rest

    monkeypatch.setitem(globals(), "by_kernel", faulty)
    with pytest.raises(AssertionError):
        holds.hypothesis.inner_test(**case)
