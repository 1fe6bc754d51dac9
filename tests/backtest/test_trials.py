import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.statistics.trials import (
    expected_maximum,
    expected_maximum_sharpe,
    minimum_backtest_length,
    null_variance,
)


def test_the_published_best_of_a_hundred():
    """Bailey, López de Prado 2014: a variance of 1/2 a year, 250 days: 0.1132 a day."""
    assert expected_maximum_sharpe(100, 0.5 / 250) == pytest.approx(0.1132, abs=5e-5)


def test_the_published_length():
    """Bailey et al. 2014: five years carry 45 trials until a ratio of 1 is to be expected."""
    assert minimum_backtest_length(45) <= 5 < minimum_backtest_length(46)
    assert minimum_backtest_length(45, 2.0) == pytest.approx(minimum_backtest_length(45) / 4)
    assert minimum_backtest_length(1) == 0.0


@given(trials=st.floats(1, 1e9), more=st.floats(1, 100))
def test_the_bound_holds_and_more_trials_need_more_years(trials, more):
    years = minimum_backtest_length(trials)
    assert years <= 2 * math.log(trials)
    assert years <= minimum_backtest_length(trials * more)


@pytest.mark.parametrize(
    ("trials", "off"), [(3, 0.008), (6, 0.026), (10, 0.0233), (100, 0.0092), (1000, 0.0042)]
)
def test_the_expected_best_against_its_integral(trials, off):
    grid = np.linspace(-9, 9, 36_001)
    below = np.cumsum(np.exp(-(grid**2) / 2)) * (grid[1] - grid[0]) / math.sqrt(2 * math.pi)
    exact = (grid[1:] * np.diff(below**trials)).sum()
    assert expected_maximum(trials) / exact - 1 == pytest.approx(off, abs=1e-3)


def test_the_best_of_one_or_two():
    assert expected_maximum(1) == 0.0
    assert expected_maximum(1.2) == 0.0
    # Exact: 1 / √π.
    assert expected_maximum(2) == pytest.approx(0.92 / math.sqrt(math.pi), rel=0.01)


def test_the_ratio_of_noise_varies_by_one_over_its_periods():
    """Of any periods, and however odd the returns are."""
    rng = np.random.default_rng(5)
    for returns in (rng.normal(size=(20_000, 60)), rng.standard_t(5, (20_000, 60))):
        ratios = returns.mean(axis=1) / returns.std(axis=1, ddof=1)
        assert ratios.var() == pytest.approx(null_variance(60), rel=0.06)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: expected_maximum(0.9), "trials must"),
        (lambda: expected_maximum(math.nan), "trials must"),
        (lambda: expected_maximum(math.inf), "trials must"),
        (lambda: expected_maximum_sharpe(5, -0.1), "variance must"),
        (lambda: expected_maximum_sharpe(5, math.nan), "variance must"),
        (lambda: minimum_backtest_length(5, 0.0), "sharpe must"),
        (lambda: null_variance(1), "periods must"),
    ],
)
def test_numbers_that_cannot_be_are_refused(call, said):
    with pytest.raises(ValueError, match=said):
        call()
