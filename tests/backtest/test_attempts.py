import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.statistics.attempts import as_attempts, attempt_mean
from backtest.statistics.clustered import clustered_mean
from backtest.statistics.measures import mean_trade

NONE = np.array([], "datetime64[D]")


def days(*numbers):
    return np.datetime64("2026-01-01", "D") + np.array(numbers, dtype=int)


def test_by_hand():
    """Three filled orders earned 2 % together; two more were not filled."""
    filled = np.array([0.03, -0.02, 0.01])
    assert attempt_mean(filled, 2) == pytest.approx(0.004)
    assert attempt_mean(filled, 0) == pytest.approx(0.02 / 3)
    assert attempt_mean(filled[:0], 3) == 0.0
    assert attempt_mean(filled[:0], 0) is None


def test_attempts_keep_their_days():
    returns, dates = as_attempts(np.array([0.03]), days(1), days(0, 2, 2))
    assert returns.tolist() == [0.03, 0, 0, 0]
    assert dates.tolist() == days(1, 0, 2, 2).tolist()
    assert clustered_mean(returns, dates).clusters == 3
    assert as_attempts(np.array([0.03]), days(1), NONE)[1].dtype == "datetime64[D]"


@given(filled=st.lists(st.floats(-1, 1), max_size=20), unfilled=st.integers(0, 20))
def test_both_ways_give_one_mean(filled, unfilled):
    returns, _ = as_attempts(
        np.array(filled), days(*range(len(filled))), days(*range(unfilled))
    )
    mean = attempt_mean(np.array(filled), unfilled)
    assert (mean is None) == (mean_trade(returns) is None)
    if mean is not None:
        assert mean == pytest.approx(mean_trade(returns), abs=1e-12)


def test_wrong_attempts_are_refused():
    with pytest.raises(ValueError, match="unfilled must"):
        attempt_mean(np.array([0.1]), -1)
    with pytest.raises(ValueError, match="days must have"):
        as_attempts(np.array([0.1]), days(1, 2), NONE)
    with pytest.raises(ValueError, match="unfilled_days must be known"):
        as_attempts(np.array([0.1]), days(1), np.array(["NaT"], "datetime64[D]"))
