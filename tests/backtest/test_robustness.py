import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.statistics.robustness import (
    both_halves,
    without_best_days,
    without_best_trades,
)

START = np.datetime64("2026-01-01", "D")


def days(*numbers):
    return START + np.array(numbers, dtype=int)


def test_without_the_best_trades_by_hand():
    """One of ten made more than all: nine that lose 1 % are left."""
    returns = np.array([-0.01] * 4 + [0.12] + [-0.01] * 5)
    left = without_best_trades(returns, 0.05)
    assert left.mean == pytest.approx(-0.01)
    assert left.dropped == 1
    assert left.profit_share == pytest.approx(0.12 / 0.03)
    assert without_best_trades(returns, 0.2).dropped == 2


@pytest.mark.parametrize(
    ("many", "share", "dropped"),
    [(100, 0.01, 1), (101, 0.01, 2), (100, 0.07, 7), (20, 0.05, 1), (1, 0.01, 1), (0, 0.01, 0)],
)
def test_shares_round_up(many, share, dropped):
    left = without_best_trades(np.arange(many, dtype=float), share)
    assert left.dropped == dropped
    assert (left.mean is None) == (many <= 1)


def test_without_the_best_days_by_hand():
    """Day 2 earned most, by two trades; day 0 has the best single trade."""
    returns = np.array([0.05, -0.04, 0.03, 0.03, 0.01])
    left = without_best_days(returns, days(0, 0, 2, 2, 5), many=1)
    assert left.dropped == 2
    assert left.mean == pytest.approx(0.02 / 3)
    assert left.profit_share == pytest.approx(0.06 / 0.08)
    assert without_best_days(returns, days(0, 0, 2, 2, 5)).mean is None


def test_of_equal_days_the_earlier_goes():
    left = without_best_days(np.array([0.25, 0.5, -0.25]), days(4, 1, 1), many=1)
    assert left.mean == 0.25


@given(returns=st.lists(st.floats(-1, 1), min_size=1, max_size=40), share=st.floats(0.01, 0.9))
def test_what_is_left_is_never_better(returns, share):
    trades = np.array(returns)
    left = without_best_trades(trades, share)
    assert 1 <= left.dropped <= trades.size
    if left.mean is not None:
        assert left.mean <= trades.mean() + 1e-12
        assert (trades >= np.sort(trades)[-left.dropped]).sum() >= left.dropped


def test_losers_have_no_share_of_profit():
    assert without_best_trades(np.array([-0.1, -0.2]), 0.5).profit_share is None


def test_halves_are_of_the_calendar():
    """Five days: two and three.  All trades but one came on the last."""
    found = both_halves(
        np.array([0.03, -0.01, -0.02, -0.03]), days(1, 4, 4, 2), START, START + 5
    )
    assert found.middle == START + 2
    assert found.first == pytest.approx(0.03)
    assert found.second == pytest.approx(-0.02)
    assert (found.first_count, found.second_count) == (1, 3)
    empty = both_halves(np.array([0.03]), days(0), START, START + 2)
    assert (empty.second, empty.second_count) == (None, 0)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: without_best_trades(np.array([0.1]), 0.0), "share must"),
        (lambda: without_best_trades(np.array([0.1]), 1.0), "share must"),
        (lambda: without_best_days(np.array([0.1]), days(1), 0), "many must"),
        (lambda: both_halves(np.array([0.1]), days(0), START, START + 1), "2 days or more"),
        (lambda: both_halves(np.array([0.1]), days(5), START, START + 5), "days must lie in"),
        (lambda: both_halves(np.array([0.1]), days(-1), START, START + 5), "days must lie in"),
    ],
)
def test_what_cannot_be_is_refused(call, said):
    with pytest.raises(ValueError, match=said):
        call()
