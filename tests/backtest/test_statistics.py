import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    """On each of two days the map earns 1 % more: every draw says so."""
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
    assert found.p == pytest.approx(1 / 5001)


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
    sets = rng.normal(size=40), days(*rng.integers(0, 9, 40))
    others = rng.normal(size=40), days(*rng.integers(0, 9, 40))
    one, two = (compare(*sets, *others, np.random.default_rng(4)) for _ in range(2))
    assert one == two
    assert compare(*sets, *others, np.random.default_rng(5)).low != one.low


def test_nothing_to_compare_gives_no_interval():
    none = np.array([]), days()
    some = np.array([0.1, 0.2]), days(0, 1)
    found = compare(*none, *some, np.random.default_rng(0))
    assert (found.mean_with, found.difference, found.low, found.high) == (None,) * 4
    one_day = np.array([0.1]), days(0)
    assert compare(*one_day, *one_day, np.random.default_rng(0)).low is None
    # On distant days: a third of the draws leaves one side without a trade.
    apart = compare(np.array([0.1]), days(0), *some, np.random.default_rng(0))
    assert (apart.difference, apart.low) == (pytest.approx(-0.05), None)
