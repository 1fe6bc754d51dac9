import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.kernels import replay as kernels
from tests.backtest.case import as_arrays, by_kernel
from tests.reference import replay as naive
from tests.reference.replay import Bar, Costs, Decision

COMPILED = kernels.replay
PYTHON = getattr(kernels.replay, "py_func", kernels.replay)
TAKER, MAKER = 0.001, 0.0002
COSTS = Costs(1000.0, TAKER, MAKER)
FREE = Costs(1000.0, 0.0, 0.0)

# Whole dollars and round distances, so that prices land on levels and on each other.
prices = st.integers(80, 120).map(float)
distances = st.none() | st.sampled_from([0.01, 0.02, 0.05, 0.1, 0.25])
decision = st.builds(
    Decision,
    side=st.sampled_from([-1, 0, 0, 1]),
    stop_fraction=distances,
    target_px=st.none() | prices,
    target_fraction=distances,
    max_bars=st.none() | st.integers(1, 5),
)


@st.composite
def bar(draw):
    four = sorted(draw(st.tuples(prices, prices, prices, prices)))
    first, last = draw(st.permutations(four[1:3]))
    return Bar(first, four[3], four[0], last, draw(st.sampled_from([0.0, 0.001, -0.002])))


markets = st.lists(st.tuples(bar(), decision), max_size=25).map(
    lambda rows: ([row[0] for row in rows], [row[1] for row in rows])
)


def facts(trades):
    return [(t.entry_bar, t.exit_bar, t.reason, t.ambiguous) for t in trades]


def money(trades):
    return [
        (t.size, t.entry, t.exit, t.stop or 0, t.target or 0, t.fees, t.funding, t.pnl)
        for t in trades
    ]


@pytest.mark.parametrize("implementation", [COMPILED, PYTHON], ids=["compiled", "python"])
@given(market=markets, optimistic=st.booleans())
def test_agrees_with_the_story(implementation, market, optimistic):
    trades, marks, unfilled = by_kernel(*market, COSTS, optimistic, implementation)
    expected, worth, not_filled = naive.replay(*market, COSTS, optimistic)
    assert facts(trades) == facts(expected)
    assert unfilled == not_filled
    np.testing.assert_allclose(money(trades), money(expected), atol=1e-9)
    np.testing.assert_allclose(marks, worth, atol=1e-9)


@given(market=markets, optimistic=st.booleans(), cut=st.integers(1, 25))
def test_the_future_cannot_change_the_past(market, optimistic, cut):
    """Only the last bar of the shorter run differs: what is open there is closed."""
    bars, decisions = market
    whole, marks, unfilled = by_kernel(bars, decisions, COSTS, optimistic)
    short, early, missed = by_kernel(bars[:cut], decisions[:cut], COSTS, optimistic)
    last = min(cut, len(bars)) - 1
    assert [t for t in short if t.exit_bar < last] == [t for t in whole if t.exit_bar < last]
    assert early[:last] == marks[:last]
    assert missed == [number for number in unfilled if number < last]


@given(market=markets, optimistic=st.booleans())
def test_fees_only_cost(market, optimistic):
    free, marks, _ = by_kernel(*market, FREE, optimistic)
    paid, paid_marks, _ = by_kernel(*market, COSTS, optimistic)
    assert facts(free) == facts(paid)
    for without, charged in zip(free, paid, strict=True):
        assert charged.fees > 0
        assert charged.pnl == pytest.approx(without.pnl - charged.fees)
    assert all(p[1] <= f[1] + 1e-9 for p, f in zip(paid_marks, marks, strict=True))


@given(market=markets)
def test_the_pessimistic_reading_bounds_the_optimistic_one(market):
    low, low_marks, low_missed = by_kernel(*market, COSTS, optimistic=False)
    high, high_marks, high_missed = by_kernel(*market, COSTS, optimistic=True)
    assert low_missed == high_missed
    assert [(t.entry_bar, t.exit_bar, t.ambiguous) for t in low] == [
        (t.entry_bar, t.exit_bar, t.ambiguous) for t in high
    ]
    for worst, best in zip(low, high, strict=True):
        if worst.ambiguous:
            assert (worst.reason, best.reason) == ("stop", "target")
        else:
            assert worst == best
    assert all(w[1] <= b[1] + 1e-9 for w, b in zip(low_marks, high_marks, strict=True))


@given(market=markets, optimistic=st.booleans(), power=st.integers(-8, 8))
def test_a_scale_of_prices_scales_nothing_but_sizes(market, optimistic, power):
    """Powers of two, so that no comparison of levels is rounded differently."""
    scale = 2.0**power
    bars, decisions = market
    larger = [
        Bar(b.open * scale, b.high * scale, b.low * scale, b.close * scale, b.funding_rate)
        for b in bars
    ]
    moved = [
        Decision(
            d.side,
            d.stop_fraction,
            None if d.target_px is None else d.target_px * scale,
            d.target_fraction,
            d.max_bars,
        )
        for d in decisions
    ]
    trades, marks, unfilled = by_kernel(bars, decisions, COSTS, optimistic)
    scaled, scaled_marks, scaled_unfilled = by_kernel(larger, moved, COSTS, optimistic)
    assert facts(scaled) == facts(trades)
    assert scaled_unfilled == unfilled
    for before, after in zip(trades, scaled, strict=True):
        assert after.size == pytest.approx(before.size / scale)
        assert (after.pnl, after.fees, after.funding) == pytest.approx(
            (before.pnl, before.fees, before.funding)
        )
    np.testing.assert_allclose(
        [mark[1] for mark in scaled_marks], [mark[1] for mark in marks], atol=1e-9
    )


@st.composite
def mirrored(draw):
    """A market of whole prices, and the same seen in a mirror at 100 USD.

    Levels lie a quarter off the whole dollars, so that neither side touches one exactly; a
    stop is the same number of dollars away on both sides, and so another fraction.
    """
    bars = draw(st.lists(bar(), min_size=2, max_size=20))
    here, there = [], []
    for row in range(len(bars)):
        side = draw(st.sampled_from([-1, 0, 1]))
        max_bars = draw(st.none() | st.integers(1, 4))
        away = draw(st.integers(1, 10)) + 0.25
        target = draw(prices) + 0.25
        entry = bars[min(row + 1, len(bars) - 1)].open
        here.append(Decision(side, away / entry, target, None, max_bars))
        there.append(Decision(-side, away / (200 - entry), 200 - target, None, max_bars))
    glass = [Bar(200 - b.open, 200 - b.low, 200 - b.high, 200 - b.close) for b in bars]
    still = [Bar(b.open, b.high, b.low, b.close) for b in bars]
    return (still, here), (glass, there)


@given(pair=mirrored(), optimistic=st.booleans())
def test_longs_and_shorts_are_each_others_mirror(pair, optimistic):
    """Per coin and free of costs: fees, funding and a fixed notional depend on the price."""
    (trades, _, unfilled), (reflected, _, also) = (
        by_kernel(*market, FREE, optimistic) for market in pair
    )
    assert facts(trades) == facts(reflected)
    assert unfilled == also
    for one, other in zip(trades, reflected, strict=True):
        assert one.size * other.size < 0
        assert one.pnl / abs(one.size) == pytest.approx(other.pnl / abs(other.size))


@given(market=markets, optimistic=st.booleans())
def test_profit_at_the_end_is_the_sum_of_the_trades(market, optimistic):
    trades, marks, _ = by_kernel(*market, COSTS, optimistic)
    if marks:
        assert marks[-1][0] == 0.0
        assert marks[-1][1] == pytest.approx(sum(t.pnl for t in trades), abs=1e-9)


def test_a_missing_rate_stays_missing():
    bars = [Bar(100, 100, 100, 100, float("nan"))] * 4
    arrays = as_arrays(bars, [Decision(1)] * 4)
    *_, profit, _ = COMPILED(*arrays, 1000.0, 0.0, 0.0, False)
    assert np.isnan(profit).tolist() == [False, False, True, True]
