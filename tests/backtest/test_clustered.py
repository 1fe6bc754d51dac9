import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.statistics.clustered import clustered_mean, independent_mean


def test_by_hand():
    """Mean 3; days' sums of what differs: -2, 0, 2; 3/2 · 8 / 25 = 0.48."""
    found = clustered_mean(np.array([1.0, 3.0, 2.0, 4.0, 5.0]), np.array([1, 1, 2, 2, 3]))
    assert found.mean == 3.0
    assert found.error == pytest.approx(math.sqrt(0.48))
    assert found.t == pytest.approx(3 / math.sqrt(0.48))
    # Two degrees of freedom have a closed form: 1 - t / √(t² + 2), t² = 18.75.
    assert found.p == pytest.approx(1 - math.sqrt(18.75 / 20.75))
    assert (found.count, found.clusters) == (5, 3)


def test_independent_by_hand():
    """1, 3, 2, 4, 5: variance 2.5, error √(2.5 / 5)."""
    found = independent_mean(np.array([1.0, 3.0, 2.0, 4.0, 5.0]))
    assert found.error == pytest.approx(math.sqrt(0.5))
    assert (found.count, found.clusters) == (5, 5)


def test_what_cannot_be_told():
    none = clustered_mean(np.array([]), np.array([], "datetime64[D]"))
    assert (none.mean, none.error, none.t, none.p, none.clusters) == (None,) * 4 + (0,)
    one_day = clustered_mean(np.array([1.0, 2.0]), np.array([7, 7]))
    assert (one_day.mean, one_day.error, one_day.t) == (1.5, None, None)
    same = clustered_mean(np.full(3, 0.1), np.array([1, 2, 3]))
    assert (same.error, same.t, same.p) == (0.0, None, None)


@given(
    trades=st.lists(
        st.tuples(st.floats(-1, 1), st.integers(0, 6)), min_size=2, max_size=30
    ).filter(lambda rows: len({day for _, day in rows}) > 1),
    seed=st.integers(0, 9),
)
def test_order_and_names_of_days_do_not_matter(trades, seed):
    returns, days = (np.array(column) for column in zip(*trades, strict=True))
    mixed = np.random.default_rng(seed).permutation(days.size)
    one = clustered_mean(returns, days)
    other = clustered_mean(returns[mixed], np.datetime64("2026-01-01") - days[mixed])
    assert other.error == pytest.approx(one.error, rel=1e-6, abs=1e-12)
    # A trade told twice on its day is no second witness.
    twice = clustered_mean(np.repeat(returns, 2), np.repeat(days, 2))
    assert twice.error == pytest.approx(one.error, rel=1e-6, abs=1e-12)


@pytest.mark.slow
def test_agrees_with_statsmodels():
    from statsmodels.api import OLS

    rng = np.random.default_rng(2)
    days = rng.integers(0, 25, 200)
    returns = rng.normal(size=25)[days] + rng.normal(size=200)
    fitted = OLS(returns, np.ones(200)).fit(
        cov_type="cluster", cov_kwds={"groups": days}, use_t=True
    )
    found = clustered_mean(returns, days)
    assert found.error == pytest.approx(fitted.bse[0])
    assert found.t == pytest.approx(fitted.tvalues[0])
    assert found.p == pytest.approx(fitted.pvalues[0])


def test_errors_against_the_truth_where_days_are_alike():
    """Many histories of 40 days with 25 trades: how far means scatter is what errors say."""
    rng = np.random.default_rng(8)
    days = np.repeat(np.arange(40), 25)
    histories = [rng.normal(size=40)[days] + rng.normal(size=1000) for _ in range(400)]
    truth = np.std([history.mean() for history in histories])
    clustered = [clustered_mean(history, days) for history in histories]
    alone = [independent_mean(history) for history in histories]
    assert np.mean([one.error for one in clustered]) == pytest.approx(truth, rel=0.1)
    assert np.mean([one.error for one in alone]) < 0.4 * truth
    # One in twenty is wrong where one in twenty may be; of errors too small, most are.
    assert np.mean([one.p < 0.05 for one in clustered]) == pytest.approx(0.05, abs=0.03)
    assert np.mean([one.p < 0.05 for one in alone]) > 0.5


def test_errors_agree_where_trades_know_nothing_of_each_other():
    rng = np.random.default_rng(4)
    days = np.repeat(np.arange(200), 5)
    returns = rng.normal(size=1000)
    assert clustered_mean(returns, days).error == pytest.approx(
        independent_mean(returns).error, rel=0.15
    )
