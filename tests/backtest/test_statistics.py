from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from backtest.statistics.by_days import by_t
from backtest.statistics.comparison import compare
from backtest.statistics.measures import (
    hit_rate,
    max_drawdown,
    mean_trade,
    sharpe,
    total_return,
)

EQUITY = np.array([110.0, 99.0, 108.9])
DAY = np.datetime64("2026-01-01", "D")


def days(*numbers):
    return DAY + np.array(numbers, dtype=int)


def test_by_hand():
    """From 100: +10 %, -10 %, +10 %; the fall from 110 to 99 is a tenth."""
    assert total_return(EQUITY, 100.0) == pytest.approx(0.089)
    assert max_drawdown(EQUITY, 100.0) == pytest.approx(0.1)
    # Mean 1/30, deviations 2/30, -4/30, 2/30: variance 24/900/2 = 12/900.
    assert sharpe(EQUITY, 100.0, 9.0) == pytest.approx(3 * (1 / 30) / (np.sqrt(12) / 30))


def test_the_start_is_a_peak():
    assert max_drawdown(np.array([80.0, 120.0, 90.0]), 100.0) == pytest.approx(0.25)
    assert max_drawdown(np.array([80.0, 70.0]), 100.0) == pytest.approx(0.3)
    assert max_drawdown(np.array([101.0, 102.0]), 100.0) == 0.0


@pytest.mark.parametrize(
    "equity", [[], [100.0], [100.0, 100.0, 100.0], [120.0, -5.0, 10.0], [0.0, 1.0]]
)
def test_sharpe_is_null_where_it_says_nothing(equity):
    assert sharpe(np.array(equity), 100.0, 8760.0) is None


def test_trades_by_hand():
    returns = np.array([0.02, -0.01, 0.0, 0.03])
    assert mean_trade(returns) == pytest.approx(0.01)
    assert hit_rate(returns) == 0.5  # nothing earned is no hit
    assert mean_trade(returns[:0]) is None
    assert hit_rate(returns[:0]) is None


@given(walk=st.lists(st.floats(-0.2, 0.2), min_size=1, max_size=40))
def test_drawdown_against_every_pair(walk):
    equity = 100 * np.cumprod(1 + np.array(walk))
    whole = [100.0, *equity]
    worst = max((high - low) / high for i, high in enumerate(whole) for low in whole[i:])
    assert max_drawdown(equity, 100.0) == pytest.approx(worst)


def test_a_comparison_by_hand():
    """On each of two days the map earns 1 % more: of four pairs of signs one says as much."""
    found = compare(
        np.array([0.02, 0.03]),
        days(0, 1),
        np.array([0.01, 0.01, 0.02, 0.02]),
        days(0, 0, 1, 1),
        np.random.default_rng(0),
    )
    assert (found.trades_with, found.trades_without, found.days) == (2, 4, 2)
    assert found.difference == pytest.approx(0.01)
    assert (found.low, found.high) == (pytest.approx(0.01), pytest.approx(0.01))
    assert found.p == pytest.approx(1 / 4, abs=0.02)


@given(gains=st.lists(st.integers(-3, 5), min_size=2, max_size=8))
def test_p_of_few_days_is_that_of_all_signs_or_of_students_t(gains):
    gains = np.array(gains) / 100
    day = days(*range(gains.size))
    found = compare(gains, day, np.zeros(gains.size), day, np.random.default_rng(0))
    if not gains.any():
        assert found.p == 1.0
        return
    # Half the gain is over the mean of both sets, half is under it on the other side.
    sums = [np.dot(signs, gains) for signs in product((-1, 1), repeat=gains.size)]
    reached = np.mean(np.array(sums) >= gains.sum() - 1e-12)
    assert found.p == pytest.approx(max(reached, by_t(gains)), abs=0.04)


def by_days_drawn_anew(with_map, with_days, without_map, without_days, rng, draws=500):
    """The test that signs took the place of: days drawn with replacement, percentiles."""
    length = np.unique(with_days).size
    drawn = rng.multinomial(length, np.full(length, 1 / length), size=draws)

    def mean(returns, day):
        day = (day - day.min()).astype(int)
        held = np.bincount(day, minlength=length)
        return (drawn @ np.bincount(day, returns, length)) / (drawn @ held)

    apart = mean(with_map, with_days) - mean(without_map, without_days)
    return (1 + (apart <= 0).sum()) / (1 + draws)


def yes_of(worlds, test, differ, length=60, each=5):
    """How often two rules that differ on a few days, and earn the same, are told apart.

    Trades of a day have half their variance in common, tails are Student's with 4 degrees."""
    day = np.repeat(np.arange(length), each)
    told = 0
    for world in range(worlds):
        rng = np.random.default_rng(world)

        def drawn(rng=rng):
            return 0.01 * (rng.standard_t(4, length)[day] + rng.standard_t(4, day.size))

        without = drawn()
        other = np.isin(day, rng.choice(length, differ, replace=False))
        with_map = np.where(other, drawn(), without)
        told += test(with_map, days(*day), without, days(*day), rng) <= 0.05
    return told


def by_signs(*sets):
    return compare(*sets, draws=500).p


def test_rules_that_differ_on_few_days_are_seldom_told_apart():
    """Of 400 markets 20 may be; days drawn anew did so in 33."""
    assert yes_of(400, by_signs, 5) <= 0.05 * 400
    assert yes_of(400, by_days_drawn_anew, 5) > 0.07 * 400


@pytest.mark.slow
@pytest.mark.parametrize("differ", [3, 5, 8, 15, 60])
def test_the_size_of_a_comparison(differ):
    """At or below 5 %, and what chance may add to it in 1,000 markets."""
    assert yes_of(1000, by_signs, differ) <= binom.ppf(0.99, 1000, 0.05)
    if differ <= 8:
        assert yes_of(1000, by_days_drawn_anew, differ) > binom.ppf(0.99, 1000, 0.05)


def test_the_interval_holds_days_together():
    """Fifty trades a day that all go the same way are no more than one observation a day."""
    rng = np.random.default_rng(5)
    daily = rng.normal(0.0, 0.02, 30)
    day = np.repeat(np.arange(30), 50)
    clustered = compare(
        daily[day], days(*day), np.zeros(1500), days(*day), np.random.default_rng(0)
    )
    spread = daily.std(ddof=1) / np.sqrt(30)
    assert clustered.high - clustered.low == pytest.approx(2 * 1.96 * spread, rel=0.2)


def test_a_seed_makes_the_interval_repeatable():
    rng = np.random.default_rng(1)
    sets = rng.normal(size=400), days(*rng.integers(0, 90, 400))
    others = rng.normal(size=400), days(*rng.integers(0, 90, 400))
    one, two = (compare(*sets, *others, np.random.default_rng(4)) for _ in range(2))
    assert one == two
    assert compare(*sets, *others, np.random.default_rng(5)).p != one.p


def test_nothing_to_compare_gives_no_interval():
    none = np.array([]), days()
    some = np.array([0.1, 0.2]), days(0, 1)
    found = compare(*none, *some, np.random.default_rng(0))
    assert (found.mean_with, found.difference, found.low, found.high) == (None,) * 4
    one_day = np.array([0.1]), days(0)
    assert compare(*one_day, *one_day, np.random.default_rng(0)).low is None
    assert compare(*one_day, *one_day, np.random.default_rng(0)).p is None
    # The same trades are not better, which is sure.
    same = compare(*some, *some, np.random.default_rng(0))
    assert (same.difference, same.low, same.p) == (0.0, None, 1.0)
