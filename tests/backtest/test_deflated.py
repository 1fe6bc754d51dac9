import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backtest.statistics.deflated import deflate, deflated_sharpe, variance_of
from backtest.statistics.probabilistic import (
    Moments,
    minimum_track_record,
    moments,
    probabilistic_sharpe,
)
from backtest.statistics.trials import expected_maximum_sharpe

# Bailey, López de Prado 2014, the example of the text: five years of 250 days, an annualised
# Sharpe ratio of 2.5, skew -3, kurtosis 10; annualised ratios of the trials vary by 1/2.
PUBLISHED = Moments(2.5 / math.sqrt(250), -3.0, 10.0, 1250)
VARIANCE = 0.5 / 250


def test_the_published_example():
    assert deflated_sharpe(PUBLISHED, 100, VARIANCE) == pytest.approx(0.9004, abs=5e-5)
    # With 46 trials, or with 88 and normal returns, it would have passed.
    assert deflated_sharpe(PUBLISHED, 46, VARIANCE) == pytest.approx(0.9505, abs=5e-5)
    normal = Moments(PUBLISHED.sharpe, 0.0, 3.0, 1250)
    assert deflated_sharpe(normal, 88, VARIANCE) == pytest.approx(0.9505, abs=5e-5)


def test_published_probabilistic_ratios():
    """Bailey, López de Prado 2012: two years of months, 0.458 a month, odd and not."""
    assert probabilistic_sharpe(Moments(0.458, 0.0, 3.0, 24)) == pytest.approx(0.982, abs=5e-4)
    odd = Moments(0.458, -2.448, 10.164, 24)
    assert probabilistic_sharpe(odd) == pytest.approx(0.913, abs=5e-4)


@pytest.mark.parametrize(
    ("per_year", "skew", "kurtosis", "years"),
    [(252, 0, 3, 2.73), (52, 0, 3, 2.83), (12, 0, 3, 3.24), (12, -0.72, 5.78, 4.99)],
)
def test_published_track_records(per_year, skew, kurtosis, years):
    """Bailey, López de Prado 2012: years until an annualised 2 is believed above 1."""
    found = Moments(2 / math.sqrt(per_year), skew, kurtosis, 100)
    needed = minimum_track_record(found, 1 / math.sqrt(per_year))
    assert needed / per_year == pytest.approx(years, abs=5e-3)


def test_a_record_of_the_minimum_length_is_believed_just_so():
    found = Moments(0.1, -1.0, 6.0, 50)
    needed = minimum_track_record(found, 0.02, 0.9)
    just = Moments(0.1, -1.0, 6.0, math.ceil(needed))
    short = Moments(0.1, -1.0, 6.0, math.floor(needed))
    assert probabilistic_sharpe(short, 0.02) < 0.9 <= probabilistic_sharpe(just, 0.02)
    assert minimum_track_record(found, 0.1) is None


def test_moments_by_hand():
    """Of 0, 0, 0, 4: mean 1, deviations -1 -1 -1 3; variance 3 of the four, 4 of a sample."""
    found = moments(np.array([0.0, 0.0, 0.0, 4.0]))
    assert found.sharpe == pytest.approx(1 / 2)
    assert found.skew == pytest.approx((-3 + 27) / 4 / 3**1.5)
    assert found.kurtosis == pytest.approx((3 + 81) / 4 / 9)
    assert found.periods == 4


def test_the_unit_does_not_matter():
    returns = np.array([0.03, 0.01, -0.02, 0.04])
    for unit in (1e-200, 1e200):
        assert moments(returns * unit).sharpe == pytest.approx(moments(returns).sharpe)
        assert moments(returns * unit).kurtosis == pytest.approx(moments(returns).kurtosis)


# The third are equal but for the rounding of how they were made.
@pytest.mark.parametrize("returns", [[], [0.1], [0.1, 0.1, 0.1], [0.3, 0.1 + 0.2, 0.3]])
def test_no_ratio_where_returns_do_not_vary(returns):
    assert moments(np.array(returns)) is None
    assert deflate(np.array(returns), 2) is None


def test_an_estimate_without_deviation_says_nothing():
    """Two values with skew s and a ratio of 2 / s: first order has no error at all."""
    assert probabilistic_sharpe(Moments(2.0, 1.0, 2.0, 10)) is None


@example(returns=[0.0, 5e-324])
@example(returns=[1e-9, 1e-9 + 1e-22])
@given(returns=st.lists(st.floats(-0.5, 0.5), min_size=2, max_size=30))
def test_moments_of_any_returns_are_allowed(returns):
    """Kurtosis is never below 1 + skew², so that a deviation always exists."""
    found = moments(np.array(returns))
    if found is not None:
        assert found.deviation >= 0


@pytest.mark.parametrize(
    ("kurtosis", "periods"), [(1.9, 10), (math.nan, 10), (3.0, 1), (3.0, 0)]
)
def test_moments_that_none_has_are_refused(kurtosis, periods):
    with pytest.raises(ValueError, match=r"kurtosis must|periods must"):
        Moments(0.1, 1.0, kurtosis, periods)


@given(
    sharpe=st.floats(-0.5, 0.5),
    trials=st.floats(1, 1e6),
    more=st.floats(1.01, 10),
    variance=st.floats(1e-6, 0.01),
)
def test_more_trials_never_help(sharpe, trials, more, variance):
    found = Moments(sharpe, -0.5, 4.0, 250)
    one, many = (deflated_sharpe(found, n, variance) for n in (trials, trials * more))
    assert many <= one <= probabilistic_sharpe(found)


def test_deflate_by_hand():
    """Six returns: without an edge their ratio varies by a fifth."""
    returns = np.array([0.03, 0.01, -0.02, 0.04, 0.0, 0.02])
    found = moments(returns)
    done = deflate(returns, 4)
    assert done.expected == expected_maximum_sharpe(4, 1 / 5)
    assert done.probability == deflated_sharpe(found, 4, 1 / 5)
    assert (done.sharpe, done.trials, done.by_spread) == (found.sharpe, 4, None)
    alone = deflate(returns, 1)
    assert (alone.expected, alone.by_spread) == (0.0, 0.0)
    assert alone.probability == probabilistic_sharpe(found)


def test_the_spread_of_the_trials_is_told_and_decides_nothing():
    returns = np.array([0.03, 0.01, -0.02, 0.04, 0.0, 0.02])
    ratios = np.array([0.1, math.nan, 0.3, moments(returns).sharpe])
    variance = variance_of(ratios)
    assert variance == np.var([0.1, 0.3, moments(returns).sharpe], ddof=1)
    done = deflate(returns, 4, variance)
    assert done.by_spread == expected_maximum_sharpe(4, variance)
    assert done.probability == deflate(returns, 4).probability
    assert variance_of(np.array([math.nan, 0.2])) is None


@pytest.mark.parametrize("trials", [0, 0.5, math.nan])
def test_less_than_a_trial_is_refused(trials):
    with pytest.raises(ValueError, match="trials must be 1"):
        deflate(np.array([0.1, 0.2]), trials)


def noise(studies, trials, periods, edge=0.0):
    """Yield returns of the best of the trials and the ratios of all; the first has the edge."""
    rng = np.random.default_rng(11)
    for _ in range(studies):
        returns = rng.normal(size=(periods, trials))
        returns[:, 0] += edge
        ratios = returns.mean(axis=0) / returns.std(axis=0, ddof=1)
        yield returns[:, ratios.argmax()], ratios


def test_the_best_of_many_is_seldom_believed_where_none_has_an_edge():
    best = [one for one, _ in noise(studies=200, trials=100, periods=250)]
    deflated = np.array([deflate(one, 100).probability for one in best])
    # The expected best lies in the middle of the bests.
    assert np.median(deflated) == pytest.approx(0.5, abs=0.08)
    assert (deflated > 0.95).mean() <= 0.02
    # The same bests, as if they were the only ones tried: nearly all are believed.
    alone = np.array([deflate(one, 1).probability for one in best])
    assert (alone > 0.95).mean() > 0.95


def test_copies_of_a_rule_make_no_winner():
    """Of 100 rules without an edge the best, among them and 2,000 copies of their median: by
    the spread of the trials most would be believed."""
    by_luck, by_spread = [], []
    for best, ratios in noise(studies=100, trials=100, periods=365):
        diluted = np.append(ratios, np.full(2_000, np.median(ratios)))
        done = deflate(best, diluted.size, variance_of(diluted))
        by_luck.append(done.probability >= 0.95)
        by_spread.append(probabilistic_sharpe(moments(best), done.by_spread) >= 0.95)
        assert done.expected > deflate(best, 100).expected
    assert (sum(by_luck), sum(by_spread) > 50) == (0, True)


def test_of_rules_that_are_alike_the_luckiest_is_believed_in_no_more_than_5_percent():
    """Half of each rule's days are all rules' own: the trials differ by less than luck does."""
    rng, found = np.random.default_rng(3), []
    for _ in range(400):
        returns = rng.normal(size=(120, 1)) + rng.normal(size=(120, 40))
        best = (returns.mean(axis=0) / returns.std(axis=0, ddof=1)).argmax()
        found.append(deflate(returns[:, best], 40).probability)
    assert np.mean(np.array(found) >= 0.95) <= 0.05


def test_a_real_edge_is_believed():
    found = [deflate(one, 100) for one, _ in noise(50, 100, 1000, edge=0.2)]
    assert np.mean([one.probability > 0.95 for one in found]) > 0.9
