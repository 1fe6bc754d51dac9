import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from backtest.statistics.overfitting import overfitting
from tests.reference import overfitting as naive


def noise(periods, settings, seed=0):
    return np.random.default_rng(seed).normal(size=(periods, settings))


def test_two_blocks_by_hand():
    """Two blocks, three settings: each half chooses the one that does worst on the other."""
    returns = np.array(
        [
            [3.0, 0.0, 1.0],
            [1.0, -1.0, 2.0],
            [-1.0, 3.0, 1.0],
            [-2.0, 2.0, -1.0],
        ]
    )
    found = overfitting(returns, blocks=2)
    # First half: means 2, -1/2, 3/2, deviations √2, √½, √½: 1.41, -0.71, 2.12; the third.
    # Second half: means -3/2, 5/2, 0, deviations √½, √½, √2: -2.12, 3.54, 0; the second.
    assert found.chosen == pytest.approx([1.5 * math.sqrt(2), 2.5 * math.sqrt(2)])
    assert found.afterwards == pytest.approx([0.0, -0.5 * math.sqrt(2)])
    # Ranks 2 and 1 of 3: 2/4 and 1/4.
    assert found.logits == pytest.approx([0.0, -math.log(3)])
    assert found.probability == 1.0  # the middle is no better than most
    assert found.slope == pytest.approx(-0.5)
    assert found.loss == 0.5


# Halves and quarters add up exactly, so that ties are ties in both; many rows do not vary.
lattice = st.tuples(st.sampled_from([2, 4, 6]), st.integers(2, 5), st.integers(0, 3)).flatmap(
    lambda shape: st.tuples(
        arrays(
            np.float64,
            (2 * shape[0] + shape[2], shape[1]),
            elements=st.integers(-4, 4).map(lambda n: n / 4),
        ),
        st.just(shape[0]),
    )
)


@given(case=lattice)
def test_agrees_with_the_obvious_version(case):
    returns, blocks = case
    try:
        expected = naive.overfitting(returns.tolist(), blocks)
    except ZeroDivisionError:  # a setting that is the same, and not 0, throughout a half
        with pytest.raises(ValueError, match="do not vary within half"):
            overfitting(returns, blocks)
        return
    found = overfitting(returns, blocks)
    logits, chosen, afterwards = (list(column) for column in zip(*expected, strict=True))
    np.testing.assert_allclose(found.logits, logits, atol=1e-9)
    np.testing.assert_allclose(found.chosen, chosen, atol=1e-9)
    np.testing.assert_allclose(found.afterwards, afterwards, atol=1e-9)
    assert found.probability == np.mean([logit <= 1e-12 for logit in logits])
    assert found.loss == np.mean([ratio < 0 for ratio in afterwards])
    if len(set(chosen)) > 1:
        assert found.slope == pytest.approx(naive.slope(chosen, afterwards), abs=1e-6)
    else:
        assert found.slope is None


@given(seed=st.integers(0, 99), mix=st.permutations(range(5)))
def test_the_order_of_settings_does_not_matter(seed, mix):
    """Two of them are the same one, and one its double: whichever comes first, all tie."""
    some = noise(43, 3, seed)
    returns = np.column_stack([some, some[:, 1], 2 * some[:, 1]])
    one, other = overfitting(returns, 6), overfitting(returns[:, list(mix)], 6)
    np.testing.assert_array_equal(one.logits, other.logits)
    np.testing.assert_array_equal(one.afterwards, other.afterwards)


def test_the_unit_of_a_setting_does_not_matter():
    returns = noise(60, 4)
    units = np.array([1e-200, 1.0, 1e200, 3.0])
    one, other = overfitting(returns, 6), overfitting(returns * units, 6)
    np.testing.assert_array_equal(one.logits, other.logits)
    np.testing.assert_allclose(one.chosen, other.chosen, rtol=1e-9)


def test_settings_that_stand_still_are_worth_nothing_and_tie():
    """The one that trades loses: standing still is chosen, and earns nothing afterwards."""
    returns = np.zeros((40, 3))
    returns[:, 2] = noise(40, 1)[:, 0] - 5
    found = overfitting(returns, 4)
    assert (found.chosen == 0).all()
    assert (found.afterwards == 0).all()
    # The two share ranks 2 and 3 of 3.
    assert found.logits == pytest.approx(np.full(6, math.log(2.5 / 1.5)))
    assert (found.probability, found.loss, found.slope) == (0.0, 0.0, None)


def test_choosing_from_noise_says_nothing():
    found = [overfitting(noise(400, 40, seed), 8) for seed in range(30)]
    assert np.mean([one.probability for one in found]) == pytest.approx(0.5, abs=0.08)
    # What was promised is not kept: the halves of one sample mirror each other.
    assert np.mean([one.slope for one in found]) < 0
    assert np.mean([one.loss for one in found]) == pytest.approx(0.5, abs=0.1)


def test_a_real_edge_is_chosen_and_stays():
    returns = noise(400, 40)
    returns[:, 7] += 0.4
    found = overfitting(returns, 8)
    assert found.probability == 0.0
    assert found.loss == 0.0
    assert found.logits == pytest.approx(np.full(70, math.log(40)))


def test_an_edge_of_one_month_alone_is_seen_through():
    """Each setting has its own lucky block: the chosen one lacks its own afterwards."""
    returns = noise(160, 16)
    for block in range(16):
        returns[10 * block : 10 * block + 10, block] += 3
    assert overfitting(returns, 16).probability > 0.75


@pytest.mark.slow
def test_many_settings_take_seconds():
    """A sweep of 2,000 settings over a year of days; 12,870 halves."""
    found = overfitting(noise(365, 2000), 16)
    assert found.logits.size == 12_870
    assert 0.2 < found.probability < 0.8


@pytest.mark.parametrize(
    ("returns", "blocks", "said"),
    [
        (noise(100, 5), 5, "blocks must"),
        (noise(100, 5), 0, "blocks must"),
        (noise(100, 5), 26, "blocks must"),
        (noise(100, 1), 4, "2 settings or more"),
        (noise(7, 5), 4, "8 periods or more"),
        (noise(100, 5)[:, 0], 4, "2 dimension"),
        (np.full((8, 2), 0.1), 4, "setting 0 do not vary"),
        (np.where(noise(8, 2) > 9, 0.0, math.nan), 4, "must be finite"),
    ],
)
def test_what_cannot_be_split_is_refused(returns, blocks, said):
    with pytest.raises(ValueError, match=said):
        overfitting(returns, blocks)
