"""How likely days speak so much for one side by chance."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.stats import binom

from backtest.statistics.by_days import by_lot, by_t, effective_days, p_of_days
from backtest.statistics.comparison import compare

shares = st.lists(st.integers(-50, 50), min_size=1, max_size=12).map(
    lambda some: np.array(some) / 1000
)
WIN, LOSS, WON = 0.03, -0.02, 0.4  # a fair bet with a stop nearer than its target


def test_three_days_by_hand():
    """One draw of eight has all their signs; t is the root of 3 on two degrees of freedom."""
    days = np.array([0.01, 0.01, 0.01])
    assert by_lot(days, np.random.default_rng(0)) == pytest.approx(1 / 8, abs=0.02)
    # Of two degrees of freedom: 1/2 - t / (2 sqrt(2 + t^2)).
    assert by_t(days) == pytest.approx(0.5 - np.sqrt(3) / (2 * np.sqrt(5)))
    lot, t = by_lot(-days, np.random.default_rng(0)), by_t(-days)
    assert p_of_days(-days, np.random.default_rng(0)) == lot == 1.0 > t


def test_days_are_as_many_as_weigh_alike():
    assert effective_days(np.array([1.0, -1.0, 0.0, 1.0])) == 3.0
    # One of a half beside two of 1: (1 + 1 + 1/4)^2 / (1 + 1 + 1/16).
    assert effective_days(np.array([1.0, -1.0, 0.5])) == pytest.approx(5.0625 / 2.0625)
    assert effective_days(np.zeros(4)) == 0.0


def test_one_day_among_a_hundred_small_ones_says_nothing():
    days = np.append(np.full(100, 1e-6), 0.05)
    assert p_of_days(days, np.random.default_rng(0)) == pytest.approx(0.5, abs=0.02)
    assert p_of_days(np.zeros(5), np.random.default_rng(0)) == 1.0


def with_most_of(others, more):
    """Return days of which the first holds half of the sum, and more."""
    return np.array([max(sum(others), 1) + more, *others]) / 1000


@given(others=st.lists(st.integers(-50, 50), max_size=11), more=st.integers(0, 500))
@example(others=[50] * 11, more=0)
def test_a_day_that_holds_most_of_the_sum_is_never_told(others, more):
    assert p_of_days(with_most_of(others, more), np.random.default_rng(0)) > 0.05


@given(others=st.lists(st.integers(1, 50), min_size=6, max_size=11), more=st.integers(0, 500))
def test_signs_alone_would_tell_of_one_day(others, more):
    """Seven that are all above 0 are one draw of 128, whatever the first of them weighs."""
    assert by_lot(with_most_of(others, more), np.random.default_rng(0)) <= 0.05


@given(days=shares, scale=st.sampled_from([1e-200, 1e-6, 3.0, 1e200]), more=st.integers(0, 5))
def test_neither_unit_nor_silent_days_nor_order_matter(days, scale, more):
    other = np.append(days[::-1] * scale, np.zeros(more))
    assert by_t(other) == pytest.approx(by_t(days), abs=1e-9)
    assert effective_days(other) == pytest.approx(effective_days(days))


@given(days=shares)
def test_what_speaks_for_one_speaks_against_the_other(days):
    if days.any():
        assert by_t(days) + by_t(-days) == pytest.approx(1.0)
        assert by_t(days + 2 * np.abs(days).max()) < 0.5


def told(worlds, test):
    """How often one rule is told to be better than another that enters on four days alone."""
    return sum(test(np.random.default_rng(world)) <= 0.05 for world in range(worlds))


def held(rng):
    """One fair bet a day of both, the other on the first four of forty."""
    day = np.datetime64("2026-01-01") + np.arange(40)
    own, other = (np.where(rng.random(n) < WON, WIN, LOSS) for n in (40, 4))
    return compare(own, day, other, day[:4], rng, draws=500).p


def lot_alone(rng):
    """The same by signs alone, as it was."""
    own, other = (np.where(rng.random(n) < WON, WIN, LOSS) for n in (40, 4))
    shares = (own - (own.sum() + other.sum()) / 44) / 40
    shares[:4] -= (other - (own.sum() + other.sum()) / 44) / 4
    return by_lot(shares, rng, 500)


def test_four_days_that_all_lost_are_no_proof():
    """All four lose in 13 % of samples; signs alone took that for skill."""
    assert told(1000, held) <= binom.ppf(0.99, 1000, 0.05)
    assert told(1000, lot_alone) > binom.ppf(0.99, 1000, 0.05)
