"""A sweep against the account that replays one setting at a time; and what it refuses."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.bars import Bars
from backtest.decisions import Decisions
from backtest.kernels import skip
from backtest.leg import Leg, Slippage
from backtest.replay import replay
from backtest.settings import draws, grid
from backtest.stamps import Stamps
from backtest.sweep import CHUNK, sweep
from backtest.terms import Costs, Terms

MINUTE = np.timedelta64(60_000_000, "us")
NAMES = ("decided", "entered", "left", "reason", "ambiguous")
PRICES = ("size", "entry_px", "exit_px", "stop_px", "target_px", "worst_px")
MONEY = ("fees", "funding", "slippage", "pnl")
SIZES = np.array([1e3, 1e5])


def walk(rng, n, wild):
    """Bars of a coin, some of them missing, with volume nobody knows."""
    inside = rng.normal(0, wild, n)
    open_px = 100 * np.exp(np.cumsum(inside + rng.normal(0, wild / 4, n)))
    close_px = open_px * np.exp(inside)
    over, under = np.exp(np.abs(rng.normal(0, wild / 2, (2, n))))
    kept = np.sort(rng.choice(n, n - n // 10, replace=False))
    start = np.datetime64("2026-01-01T22:00", "us") + np.arange(n) * 20 * MINUTE
    high_px, low_px = (
        np.maximum(open_px, close_px) * over,
        np.minimum(open_px, close_px) / under,
    )
    columns = (open_px, high_px, low_px, close_px, np.full(n, np.nan))
    return Bars("A", "v", "s", "20m", 20 * MINUTE, start[kept], *(one[kept] for one in columns))


def legs_of(rng, n, wild):
    """Two coins; the second has two rules on the same bars, one of them with target prices."""
    for bars, rules in ((walk(rng, n, wild), 1), (walk(rng, n + 37, wild), 2)):
        m = len(bars)
        # Up to more than a stop's distance: who enters may be beyond its own stop.
        curves = np.sort(rng.uniform(0, 6e-3, (3, 2, 2)), axis=2)
        slippage = Slippage(SIZES, curves, *rng.integers(0, 3, (2, m)), "made up")
        rate = np.where(rng.random(m) < 0.3, rng.normal(0, 1e-4, m), 0.0)
        oracle = np.where(rng.random(m) < 0.5, bars.open_px * 1.001, np.nan)
        for number in range(rules):
            side = np.where(rng.random(m) < 0.2, rng.choice([-1, 1], m), 0)
            made = Decisions.of(side, notional=1e4)
            if number == 1:
                aims = bars.close_px * (1 + side * rng.uniform(-0.002, 0.02, m))
                made = made.but(target_px=np.where(rng.random(m) < 0.7, aims, np.nan))
            yield Leg(bars, made, rate, slippage, oracle)


@settings(max_examples=30)
@given(
    seed=st.integers(0, 10_000),
    n=st.sampled_from([12, 150, 700]),
    wild=st.sampled_from([0.001, 0.01]),
    bound=st.sampled_from(["pessimistic", "optimistic"]),
    start_equity=st.sampled_from([2_000.0, 1e6]),
)
def test_a_sweep_makes_the_trades_of_the_account(seed, n, wild, bound, start_equity):
    rng = np.random.default_rng(seed)
    legs = list(legs_of(rng, n, wild))
    tried = grid(
        leg=[0, 1, 2],
        stop_fraction=[np.nan, 0.004, 0.03],
        target_fraction=[np.nan, 0.006],
        max_bars=[0, 7],
        notional=[5.0, 2e4],
    )
    terms = Terms(Costs(4e-4, 1e-4), leverage=3.0, start_equity=start_equity)
    swept = sweep(legs, tried, terms, bound=bound, keep_trades=True)
    for number in rng.choice(tried["leg"].size, 12, replace=False):
        one = {name: values[number] for name, values in tried.items()}
        leg = legs[one.pop("leg")]
        decisions = leg.decisions.but(**one)
        alone = replay(
            [Leg(leg.bars, decisions, leg.funding_rate, leg.slippage, leg.oracle_px)],
            terms,
            bound=bound,
        )
        mine = swept.trades[swept.trades["coin"] == number]
        for name in NAMES:
            np.testing.assert_array_equal(mine[name], alone.trades[name], name)
        for name in PRICES:
            np.testing.assert_allclose(mine[name], alone.trades[name], 1e-12, err_msg=name)
        for name in MONEY:
            np.testing.assert_allclose(mine[name], alone.trades[name], 1e-9, 1e-8, err_msg=name)
        result = swept.results[number]
        assert result["trades"] == len(alone)
        assert result["refused"] == alone.unfilled
        assert result["pnl"] == pytest.approx(alone.trades["pnl"].sum(), abs=1e-6)
        assert result["won"] == (alone.trades["pnl"] > 0).sum()
        day = (leg.bars.end - np.timedelta64(1, "us")).astype("datetime64[D]")
        for column, one_day in enumerate(swept.day):
            upto = np.flatnonzero(day <= one_day)
            value = swept.equity[number, column]
            if not upto.size or one_day > day[-1]:
                assert np.isnan(value)
            else:
                assert value == pytest.approx(alone.equity[upto[-1]], abs=1e-6)


@given(seed=st.integers(0, 10_000), n=st.integers(1, 200), dense=st.sampled_from([0.01, 0.5]))
def test_what_is_known_ahead_is_what_a_look_would_find(seed, n, dense):
    rng = np.random.default_rng(seed)
    low_px = rng.uniform(1, 2, n)
    high_px = low_px + rng.uniform(0, 1, n)
    lowest, highest = skip.blocks(high_px, low_px)
    cuts = range(0, n, skip.BLOCK)
    assert lowest.tolist() == [low_px[cut : cut + skip.BLOCK].min() for cut in cuts]
    assert highest.tolist() == [high_px[cut : cut + skip.BLOCK].max() for cut in cuts]
    sides = np.where(rng.random(n) < dense, 1, 0).astype(np.int8)
    edges = np.unique([0, n, *rng.integers(0, n, 3)])
    found = skip.next_signals(sides, edges)
    for start, end in pairwise(edges):
        for bar in range(start, end):
            ahead = np.flatnonzero(sides[bar:end])
            assert found[bar] == (bar + ahead[0] if ahead.size else end)


def small(**fields):
    bars = walk(np.random.default_rng(0), 50, 0.01)
    made = Decisions.of(np.ones(len(bars)), **{"notional": 1e4, **fields})
    return Leg(bars, made, np.zeros(len(bars)), Slippage.none(len(bars)))


@pytest.mark.parametrize(
    ("fields", "tried", "terms", "named"),
    [
        ({"kind": "limit", "px": 90.0}, {}, {}, "enters at the market"),
        ({"leave": True}, {}, {}, "leaves by its levels"),
        ({"trail_fraction": 0.1}, {}, {}, "trail_fraction"),
        ({"share": 0.5}, {}, {}, "share"),
        ({}, {"stop": [0.1]}, {}, "'stop' is no parameter of a sweep; there are leg"),
        ({}, {"leg": [1]}, {}, "leg must be from 0 to 0"),
        ({}, {"stop_fraction": [0.0]}, {}, "stop_fraction 0 must be above 0"),
        ({}, {"notional": [0.0]}, {}, "notional must be above 0"),
        ({}, {"leg": [0], "max_bars": [1, 2]}, {}, "one length"),
        ({}, {}, {"limit": "through"}, "by touch"),
        ({}, {}, {"latency": MINUTE}, "no latency"),
    ],
)
def test_what_a_sweep_cannot_follow_is_refused(fields, tried, terms, named):
    tried = {name: np.array(values) for name, values in (tried or {"leg": [0]}).items()}
    with pytest.raises(ValueError, match=named):
        sweep([small(**fields)], tried, Terms(**terms))


def test_payments_within_bars_are_left_to_a_replay():
    leg = small()
    stamps = Stamps(leg.bars.start[:1] + MINUTE, np.array([0.1]))
    with pytest.raises(ValueError, match="at the opens of bars, and not within them"):
        sweep([replace(leg, stamps=stamps)], {"leg": np.array([0])}, Terms())
    sweep([replace(leg, stamps=Stamps.none())], {"leg": np.array([0])}, Terms())


def test_progress_is_told_chunk_by_chunk_and_threads_change_nothing():
    tried = draws(CHUNK + 5, 3, stop_fraction=lambda rng, n: rng.uniform(0.001, 0.05, n))
    told = []
    one = sweep([small()], tried, Terms(), threads=1, progress=lambda *at: told.append(at))
    two = sweep([small()], tried, Terms(), threads=2)
    assert told == [(CHUNK, CHUNK + 5), (CHUNK + 5, CHUNK + 5)]
    np.testing.assert_array_equal(one.results, two.results)
    np.testing.assert_array_equal(one.equity, two.equity)


def test_who_comes_near_to_liquidation_is_seen():
    """Ten thousand behind ten thousand: at worst equity is what is left of it."""
    bars = walk(np.random.default_rng(0), 50, 0.01)
    side = np.zeros(len(bars))
    side[0] = 1
    leg = Leg(
        bars, Decisions.of(side, notional=1e4), np.zeros(len(bars)), Slippage.none(len(bars))
    )
    swept = sweep([leg], {"leg": np.array([0])}, Terms(Costs(0.0, 0.0)))
    low, entry = bars.low_px[1:].min(), bars.open_px[1]
    coins = 1e4 / entry
    wanted = (1e4 + coins * (low - entry)) / (coins * low)
    assert swept.results["closest"][0] == pytest.approx(wanted)
