import numpy as np
import pytest

from backtest.statistics.bootstrap import block_length, difference, interval, mean, sharpe
from backtest.statistics.clustered import independent_mean


def seeded(seed=0):
    return np.random.default_rng(seed)


def lingering(rng, periods, carried=0.8):
    """Return periods each of which carries on most of the one before."""
    returns = rng.normal(size=periods)
    for period in range(1, periods):
        returns[period] += carried * returns[period - 1]
    return returns


def test_an_interval_of_independent_periods_is_the_textbook_one():
    returns = seeded(1).normal(0.1, 1.0, 400)
    found = interval(returns, seeded(), block=1)
    error = independent_mean(returns).error
    assert (found.estimate, found.block) == (returns.mean(), 1.0)
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.15)
    assert found.low < found.estimate < found.high
    narrow = interval(returns, seeded(), level=0.5, block=1)
    assert narrow.high - narrow.low == pytest.approx(2 * 0.6745 * error, rel=0.15)


def test_an_interval_of_sharpe_ratios():
    """The error of a ratio of 0.2 over 400 normal periods: √((1 + 0.2² / 2) / 400)."""
    returns = seeded(2).normal(0.2, 1.0, 400)
    found = interval(returns, seeded(), sharpe)
    assert found.estimate == pytest.approx(returns.mean() / returns.std(ddof=1))
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.sqrt(1.02 / 400), rel=0.15)


def test_a_difference_draws_both_together():
    """What both share falls away: the interval is that of the differences."""
    market = seeded(3).normal(size=300)
    others = market + 0.1 * seeded(4).normal(size=300)
    found = difference(market + 0.05, others, seeded())
    error = independent_mean(market - others).error
    assert found.estimate == pytest.approx(0.05 + (market - others).mean())
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.2)
    assert found.low > 0
    assert difference(market, market, seeded()).low is None  # nothing differs
    ratios = difference(market + 1.0, others, seeded(), sharpe)
    assert ratios.estimate == pytest.approx(sharpe(market + 1.0) - sharpe(others))


def test_blocks_are_as_long_as_periods_linger():
    assert block_length(seeded(5).normal(size=1000)) < 5
    assert block_length(lingering(seeded(5), 1000)) > 10
    # The unit does not matter, nor do some bold ones.
    returns = lingering(seeded(5), 1000)
    assert block_length(returns * 1e-9) == pytest.approx(block_length(returns))
    assert 1 <= block_length(np.arange(40.0)) <= 20


def test_a_seed_makes_the_interval_repeatable():
    returns = lingering(seeded(6), 200)
    assert interval(returns, seeded(7), draws=200) == interval(returns, seeded(7), draws=200)
    assert interval(returns, seeded(7), draws=200) != interval(returns, seeded(8), draws=200)


@pytest.mark.parametrize("returns", [np.arange(19.0), np.full(50, 0.1)])
def test_no_interval_from_little_or_nothing(returns):
    found = interval(returns, seeded(), mean)
    assert found.estimate == returns.mean()
    assert (found.low, found.high, found.block) == (None, None, None)
    assert interval(returns[:0], seeded()).estimate is None
    assert interval(np.full(50, 0.1), seeded(), sharpe).estimate is None


def test_no_interval_where_many_draws_say_nothing():
    """One trade in 30 periods: a third of the draws lacks it, and has no ratio."""
    returns = np.zeros(30)
    returns[11] = 1.0
    found = interval(returns, seeded(), sharpe)
    assert found.estimate == pytest.approx(sharpe(returns))
    assert (found.low, found.high) == (None, None)
    assert interval(returns, seeded(), mean).low is not None


def shares(studies, **more):
    """Return how often the interval of 95 % holds the truth, which is 0."""
    rng = seeded(9)
    found = [
        interval(lingering(rng, 400), seeded(study), draws=300, **more)
        for study in range(studies)
    ]
    return np.mean([one.low <= 0 <= one.high for one in found])


def test_blocks_hold_the_truth_more_often_than_single_periods():
    assert shares(25) > 0.75
    assert shares(25, block=1) < 0.65


@pytest.mark.slow
def test_how_often_the_truth_is_held():
    """A little less than 95 %, as is known of percentiles; single periods give half of it."""
    assert 0.85 < shares(200) < 0.97
    assert shares(200, block=1) < 0.6


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda x: interval(x, seeded(), level=1.0), "level must"),
        (lambda x: interval(x, seeded(), draws=0), "draws must"),
        (lambda x: interval(x, seeded(), block=0.5), "block must"),
        (lambda x: interval(x, seeded(), block=51), "block must"),
        (lambda x: difference(x, x[:-1], seeded()), "others must be as many"),
        (lambda x: interval(np.append(x, np.nan), seeded()), "returns must be finite"),
        (lambda x: block_length(np.append(x, np.inf)), "returns must be finite"),
    ],
)
def test_what_cannot_be_drawn_is_refused(call, said):
    with pytest.raises(ValueError, match=said):
        call(seeded().normal(size=50))
