"""A replay that drills into trades: as with seconds of every bar, and as the slow twin's."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import backtest.replay
from backtest.decisions import Decisions
from backtest.drill import Drill
from backtest.leg import Leg, Tiers, lay
from backtest.replay import READINGS, replay
from backtest.slippage import Slippage
from backtest.stamps import Stamps
from backtest.terms import Costs, Terms
from tests.backtest.case import by_twin
from tests.backtest.made import FREE
from tests.backtest.test_drill import bars_of, lake_of
from tests.backtest.traded import HOUR, fills_of, joined, wander
from tests.reference.drill import seconds_of
from tests.reference.replay_bar import Bar
from tests.reference.replay_words import Decision, Market, Venue

HOURS = 30
LEVELS = ("stop_fraction", "target_fraction", "trail_fraction")
TERMS = Terms(Costs(taker_fee=4e-4, maker_fee=1e-4), start_equity=1e4)


def made(seed, hours=HOURS, lost=()):
    """Return bars of a walk, its trades, and a connection that holds those not ``lost``."""
    trades = wander(hours, seed)
    bars = bars_of(*joined(trades, hours))
    held = [one for one in trades if int(one[0] // HOUR) not in lost]
    return bars, trades, lake_of(fills_of(held))


def wishes(bars, seed, kind="market", **more):
    """Return decisions at about every other close, with levels that a bar may span."""
    rng = np.random.default_rng(seed)
    n = len(bars)
    side = rng.choice([-1, 0, 1], n)
    away = 0.004 if kind == "stop" else -0.004
    levels = {name: rng.choice([np.nan, 0.003, 0.006, 0.015], n) for name in LEVELS}
    return Decisions.of(
        side,
        kind=kind,
        px=np.round(bars.close_px * (1 + away * side), 3),
        good_for=int(rng.integers(1, 4)),
        max_bars=int(rng.integers(0, 6)),
        notional=2e3,
        **levels | more,
    )


def leg_of(bars, decisions, **more):
    n = len(bars)
    return Leg(bars, decisions, np.full(n, 1e-5), Slippage.none(n), **more)


def same(one, other):
    assert one.trades.tobytes() == other.trades.tobytes()
    assert one.equity.tobytes() == other.equity.tobytes()
    assert np.array_equal(one.outcome, other.outcome)


def both(seeds, kind, terms, lost=(), tiers=None):
    """Replay with the seconds of what is asked for, and with those of every bar."""
    asking, every, cons = [], [], []
    for number, seed in enumerate(seeds):
        bars, _, con = made(seed, lost=lost)
        bars = replace(bars, coin=f"COIN{number}")
        con.execute(f"update fills set coin = 'COIN{number}'")
        decisions = wishes(bars, seed + 1, kind)
        all_of_it = Drill(con, bars).read(np.ones(len(bars), bool)).seconds
        asking.append(leg_of(bars, decisions, drill=Drill(con, bars), tiers=tiers))
        every.append(leg_of(bars, decisions, fine=all_of_it, tiers=tiers))
        cons.append(con)
    found = [replay(legs, terms, bound="drilled") for legs in (asking, every)]
    for con in cons:
        con.close()
    return found


@pytest.mark.parametrize(
    ("kind", "limit"), [("market", "touch"), ("limit", "share"), ("stop", "through")]
)
def test_asking_where_something_happened_is_enough(kind, limit):
    terms = replace(TERMS, limit=limit, ticks=2.0, volume_share=0.6, start_equity=5e3)
    same(*both([3, 4], kind, terms, lost={5, 11}))


@pytest.mark.slow
@settings(max_examples=20)
@given(
    seeds=st.lists(st.integers(0, 10_000), min_size=1, max_size=2, unique=True),
    kind=st.sampled_from(["market", "limit", "stop"]),
    limit=st.sampled_from(["touch", "through", "share"]),
    lost=st.sets(st.integers(0, HOURS - 1), max_size=9),
    margin=st.booleans(),
)
def test_asking_where_something_happened_is_as_good_as_asking_everywhere(
    seeds, kind, limit, lost, margin
):
    terms = replace(TERMS, limit=limit, ticks=2.0, volume_share=0.6, start_equity=5e3)
    tiers = Tiers(np.array([0.4]), np.array([0.0])) if margin else None
    asked, every = both(seeds, kind, terms, lost, tiers)
    same(asked, every)
    told = [one for one in asked.drilled if one]
    assert all(one.unlike == 0 for one in told)
    assert sum(one.made + one.silent for one in told) < HOURS * len(seeds)


def once(legs, start, within, asked, told, more=backtest.replay._asks_more):
    """A fault: nobody asks again after what the first seconds changed."""
    return not any(one.any() for one in asked) and more(legs, start, within, asked, told)


def deaf(legs, start, within, asked, told, more=backtest.replay._asks_more):
    """Another: bars after the tenth are not heard of."""
    within[10:] = False
    return more(legs, start, within, asked, told)


@pytest.mark.parametrize("fault", [once, deaf])
def test_a_replay_that_asks_too_little_is_found_out(monkeypatch, fault):
    monkeypatch.setattr(backtest.replay, "_asks_more", fault)
    found = [both([seed], "market", TERMS) for seed in range(8)]
    assert any(one.trades.tobytes() != other.trades.tobytes() for one, other in found)


@pytest.mark.parametrize("kind", ["market", "limit", "stop"])
def test_trades_are_those_of_the_slow_twin(kind):
    moved = 0
    for seed in range(6):
        bars, trades, con = made(seed, 20, lost=(3, 9))
        decisions = wishes(bars, seed, kind)
        with con:
            found, plain = (
                replay([leg_of(bars, decisions, drill=Drill(con, bars))], TERMS, bound=bound)
                for bound in ("drilled", "pessimistic")
            )
        rows = [[_told(bars, number, trades, lost=(3, 9))] for number in range(20)]
        venue = Venue(reading="drilled", taker=4e-4, maker=1e-4, start_equity=1e4)
        wanted = [[_wish(order)] for order in decisions.orders]
        told, equity, *_ = by_twin(rows, wanted, [Market(size_decimals=-300)], venue)
        assert found.trades["entered"].tolist() == [one.entered for one in told]
        assert found.trades["left"].tolist() == [one.left for one in told]
        assert found.trades["entry_px"] == pytest.approx([one.entry for one in told])
        assert found.trades["exit_px"] == pytest.approx([one.exit for one in told])
        assert found.equity == pytest.approx(equity)
        moved += found.equity[-1] != plain.equity[-1]
    assert moved >= 3


@pytest.mark.parametrize("kind", ["market", "limit", "stop"])
def test_seconds_say_what_had_fallen_due_when_a_trade_ended(kind):
    """Payments every twenty minutes: each at the first second with a trade from then on."""
    sure = 0
    for seed in range(6):
        bars, trades, con = made(seed, 20, lost=(3, 9))
        decisions = wishes(bars, seed, kind)
        rng = np.random.default_rng(seed)
        dues = [{1200: float(a), 2400: float(b)} for a, b in rng.normal(0, 0.05, (20, 2))]
        stamps = Stamps(
            np.concatenate(
                [bars.start[n] + np.array(list(one), "m8[s]") for n, one in enumerate(dues)]
            ),
            np.concatenate([list(one.values()) for one in dues]),
        )
        with con:
            leg = leg_of(bars, decisions, drill=Drill(con, bars), stamps=stamps)
            found = replay([leg], TERMS, bound="drilled")
            plain = replay([leg], TERMS, bound="pessimistic")
        rows = [[_told(bars, n, trades, (3, 9), dues[n])] for n in range(20)]
        venue = Venue(reading="drilled", taker=4e-4, maker=1e-4, start_equity=1e4)
        wanted = [[_wish(order)] for order in decisions.orders]
        told, equity, *_ = by_twin(rows, wanted, [Market(size_decimals=-300)], venue)
        assert found.trades["funding"] == pytest.approx([one.funding for one in told])
        assert found.trades["ambiguous"].tolist() == [one.ambiguous for one in told]
        assert found.equity == pytest.approx(equity)
        sure += plain.trades["ambiguous"].sum() - found.trades["ambiguous"].sum()
    assert sure > 10


def _told(bars, row, trades, lost, dues=None):
    here = [one for one in trades if HOUR * row <= one[0] < HOUR * (row + 1)]
    prices = (bars.open_px, bars.high_px, bars.low_px, bars.close_px, bars.volume)
    bar = Bar(*(float(one[row]) for one in prices), funding_rate=1e-5)
    fine = {} if row in lost else seconds_of(bar, here) or {}
    for moment, paid in (dues or {}).items():
        bar = replace(bar, stamps=(*bar.stamps, paid))
        after = [second for second in fine if second >= HOUR * row + moment]
        if after:
            first = fine[after[0]]
            fine[after[0]] = replace(first, funding_rate=1.0, oracle=first.due + paid)
        elif fine:
            last = list(fine)[-1]
            fine[last] = replace(fine[last], stamps=(*fine[last].stamps, paid))
    return replace(bar, fine=tuple(fine.values()))


def _wish(order):
    names = (*LEVELS, "px")
    levels = {name: None if np.isnan(order[name]) else float(order[name]) for name in names}
    kind = {0: "market", 1: "limit", 2: "stop"}[int(order["kind"])]
    counts = {name: int(order[name]) for name in ("side", "good_for", "max_bars")}
    return Decision(kind=kind, notional=float(order["notional"]), **counts, **levels)


def spans(order):
    """A lake whose second hour goes to 111 and to 90 in one order or the other."""
    px = {"up": [111.0, 90.0], "down": [90.0, 111.0]}[order]
    trades = [(1.0, 100.0, 1.0), (3600.0, 100.0, 1.0)]
    trades += [(3600.0 + 60 * (n + 1), one, 1.0) for n, one in enumerate(px)]
    trades += [(7199.0, 100.0, 1.0), (7200.0, 100.0, 1.0)]
    return bars_of(*joined(trades, 3)), lake_of(fills_of(trades))


@pytest.mark.parametrize(("order", "reason", "exit_px"), [("up", 2, 110.0), ("down", 1, 90.0)])
def test_what_came_first_is_what_the_trades_say(order, reason, exit_px):
    """Levels of 95 and 110; no trade lies between 100 and 90, so a stop fills at 90."""
    bars, con = spans(order)
    decisions = Decisions.of(
        np.array([1, 0, 0]), stop_fraction=0.05, target_fraction=0.1, notional=1e3
    )
    leg = leg_of(bars, decisions, drill=Drill(con, bars))
    found = {bound: replay([leg], FREE, bound=bound) for bound in READINGS}
    con.close()
    assert {bound: int(one.trades["reason"][0]) for bound, one in found.items()} == {
        "pessimistic": 1,
        "optimistic": 2,
        "drilled": reason,
    }
    (trade,) = found["drilled"].trades
    assert trade["exit_px"] == pytest.approx(exit_px)
    assert not trade["ambiguous"]
    assert found["pessimistic"].trades["ambiguous"].all()
    (told,) = found["drilled"].drilled
    assert (told.made, told.silent, told.unlike) == (1, 0, 0)
    assert found["pessimistic"].drilled == ()


@pytest.mark.parametrize("latency", [1, 1800, 3600, 5400])
def test_an_order_that_travels_arrives_when_it_does_without_trades(latency):
    """Which bars are drilled into follows from what happened in them; an arrival may not."""
    terms = replace(FREE, latency=np.timedelta64(latency, "s").astype("m8[us]"))
    bars, _, con = made(4)
    decisions = wishes(bars, 5)
    plain = leg_of(bars, decisions)
    asking = replace(plain, drill=Drill(con, bars))
    found = {bound: replay([asking], terms, bound=bound) for bound in READINGS}
    drilled, without = found["drilled"], replay([plain], terms, bound="drilled")
    con.close()
    (told,) = drilled.drilled
    assert told.made
    assert drilled.equity.tobytes() != without.equity.tobytes()
    wait = 1 + -(-latency // HOUR)  # the next open after the latency
    for one in (*found.values(), without):
        at_once = one.trades["kind"] == 0
        assert (one.trades["entered"] - one.trades["decided"])[at_once].tolist() == (
            [wait] * int(at_once.sum())
        )
    grid, bare = (
        lay([replace(plain, seconds=some)], terms.latency) for some in (told.seconds, None)
    )
    assert np.array_equal(grid.live_bar, bare.live_bar)
    assert (grid.live_fine == -1).all()


def test_a_bar_with_finer_bars_is_not_asked_for():
    """Quarters of the first hours; trades of all: those of the others are asked for."""
    bars, trades, con = made(7)
    quarters, volumes = joined(trades, HOURS, HOUR // 4)
    half = 4 * (HOURS // 2)
    fine = bars_of(quarters[:half], volumes[:half])
    width = bars.width // 4
    fine = replace(
        fine, interval="15m", width=width, start=bars.start[0] + np.arange(half) * width
    )
    leg = leg_of(bars, wishes(bars, 8), fine=fine, drill=Drill(con, bars))
    assert leg.whole.tolist() == [number >= HOURS // 2 for number in range(HOURS)]
    found = replay([leg], TERMS, bound="drilled")
    (told,) = found.drilled
    assert told.made
    assert (told.seconds.start >= bars.start[HOURS // 2]).all()
    every = Drill(con, bars).read(leg.whole).seconds
    same(found, replay([replace(leg, drill=None, seconds=every)], TERMS, bound="drilled"))
    con.close()
