"""What prices did around cascades, and bands that are as wide as they say.

Made-up markets of four coins that move together, hour by hour, in which nothing follows a
cascade: of their bands one in twenty may miss 0.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.stats import t as student

from backtest.findings.cascade_study import (
    AFTER,
    BEFORE,
    FEWEST_STRETCHES,
    WINDOW,
    mean_path,
    paths,
)
from backtest.findings.reading import interval_of
from backtest.statistics.clustered import clustered_mean
from backtest.statistics.jackknife import jackknifed
from backtest.statistics.stretches import stretches
from tests.backtest.made import HOUR, START, bars_of

COINS = 4
WORLDS = 600
# By chance alone: what 600 worlds that err in one of twenty lie within, of two markets.
ERROR = (0.05 * 0.95 / WORLDS) ** 0.5
SEEN = [BEFORE + 24, BEFORE + 48]


def hours(*apart):
    return START + np.array(apart) * HOUR


def flat(count, level=0.0):
    return np.full((count, WINDOW), level)


def test_the_path_of_a_cascade_by_hand():
    """Flat at 100 until the bar of hour 30, which falls by 10 %, and flat from there on."""
    close = np.where(np.arange(100) >= 30, 90.0, 100.0)
    path, start = paths(bars_of(close), hours(30) + 5, np.array([-1]))
    assert path.shape == (1, WINDOW)
    assert path[0, :BEFORE] == pytest.approx(0.0)
    assert path[0, BEFORE:] == pytest.approx(0.1)
    assert start.tolist() == hours(30).tolist()


def test_a_cascade_without_all_its_bars_is_left_out():
    bars = bars_of(np.full(100, 100.0))
    began = hours(BEFORE - 1, BEFORE, 100 - AFTER - 1, 100 - AFTER, 500)
    assert len(paths(bars, began, np.ones(5, int))[0]) == 2
    rows = np.r_[0:40, 41:100]
    names = ("start", "open_px", "high_px", "low_px", "close_px", "volume")
    holed = replace(bars, **{name: getattr(bars, name)[rows] for name in names})
    assert len(paths(holed, hours(30, 40), np.ones(2, int))[0]) == 0


def test_cascades_of_several_coins_at_once_are_one_event():
    """Five times four coins: five means, of which each counts once, and t on four degrees."""
    moved = np.repeat([0.01, 0.02, 0.03, 0.02, 0.02], COINS)
    path = flat(moved.size)
    path[:, BEFORE:] = moved[:, None]
    start = np.repeat(hours(0, 100, 200, 300, 400), COINS) + np.tile([0, 1, 2, 3], 5) * HOUR
    found = mean_path(path, start, HOUR)
    assert (found.events, found.merged, found.stretches, found.effective) == (20, 5, 5, 5.0)
    error = np.std([0.01, 0.02, 0.03, 0.02, 0.02], ddof=1) / 5**0.5
    assert found.mean[-1] == pytest.approx(0.02)
    assert found.low[-1] == pytest.approx(0.02 - 2.7764451 * error)
    assert found.high[-1] == pytest.approx(0.02 + 2.7764451 * error)
    # All are measured from the bar before, where nothing varies.
    assert (found.mean[0], found.low[0], found.high[0]) == (0.0, None, None)


def test_windows_that_touch_but_do_not_overlap_are_events_of_their_own():
    rng = np.random.default_rng(0)
    path = rng.normal(0, 0.01, (30, WINDOW))
    apart = mean_path(path, hours(*(WINDOW * np.arange(30))), HOUR)
    assert (apart.merged, apart.stretches, apart.effective) == (30, 30, 30.0)
    joined = mean_path(path, hours(*((WINDOW - 1) * np.arange(30))), HOUR)
    assert joined.merged == 1
    # 30 windows less 29 hours, in pieces of three windows at least, which are a little alike.
    assert joined.stretches == 9
    lain = stretches(np.arange(30) * (WINDOW - 1), WINDOW)
    error = jackknifed(path, lain.number).error[-1]
    far = (joined.high[-1] - joined.low[-1]) / 2
    assert far == pytest.approx(1.04 * error * student.ppf(0.975, joined.effective - 1))
    assert mean_path(path, START + WINDOW * np.arange(30) * HOUR, 2 * HOUR).merged == 1


def test_few_cascades_have_no_mean_and_few_stretches_no_band():
    rng = np.random.default_rng(0)
    path = rng.normal(0, 0.01, (40, WINDOW))
    few = mean_path(path[:4], hours(0, 500, 1000, 1500), HOUR)
    assert (few.events, few.stretches) == (4, 4)
    assert set(few.mean) == set(few.low) == {None}
    none = mean_path(path[:0], hours()[:0].astype("datetime64[us]"), HOUR)
    assert (none.events, none.merged, none.stretches, none.effective) == (0, 0, 0, 0.0)
    crowded = mean_path(path, hours(*(500 * (np.arange(40) % 4))), HOUR)
    assert (crowded.events, crowded.merged) == (40, 4)
    assert None not in crowded.mean
    assert set(crowded.low) == set(crowded.high) == {None}
    # One stretch that holds most says little more than itself.
    heavy = mean_path(path, hours(*np.where(np.arange(40) < 30, 0, 500 * np.arange(40))), HOUR)
    assert heavy.stretches == 11
    assert heavy.effective < FEWEST_STRETCHES
    assert set(heavy.low) == {None}


def world(seed, days, a_day, restless):
    """Return paths and bars of cascades at moments that know nothing of prices.

    Restless hours follow each other, and cascades come in them.
    """
    rng = np.random.default_rng([seed, days, restless])
    count = days * 24
    step = np.full(count, 0.01)
    if restless:
        step *= np.exp(lfilter([0.1], [1, -0.97], rng.normal(size=count)))
    shared = rng.normal(size=count)
    found = []
    for _ in range(COINS):
        moved = step * (0.8 * shared + 0.6 * rng.normal(size=count))
        bars = bars_of(100 * np.exp(np.cumsum(moved - step**2 / 2)))
        expected = a_day / 24 / COINS * (step / 0.01) ** 2
        began = np.repeat(bars.start, rng.poisson(np.minimum(expected, 3)))
        found.append(paths(bars, began, np.full(began.size, -1)))
    return tuple(np.concatenate(each) for each in zip(*found, strict=True))


def missed(low, high):
    low, high = (np.array([edge[at] for at in SEEN], float) for edge in (low, high))
    return (low > 0) | (high < 0)


def by_day(path, start):
    """The band of errors that are clustered by the day a cascade began on."""
    day = start.astype("datetime64[D]")
    edges = [interval_of(clustered_mean(path[:, at], day)) for at in range(WINDOW)]
    return tuple(zip(*edges, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("days", "a_day", "restless"), [(120, 2, False), (365, 0.5, False), (365, 2, True)]
)
def test_bands_miss_0_in_one_of_twenty_markets_where_nothing_follows(days, a_day, restless):
    told, misses, planted, naive = 0, np.zeros(2), np.zeros(2), np.zeros(2)
    for seed in range(WORLDS):
        path, start = world(seed, days, a_day, restless)
        found = mean_path(path, start, HOUR)
        if found.effective < FEWEST_STRETCHES:
            continue
        told += 1
        misses += missed(found.low, found.high)
        naive += missed(*by_day(path, start))
        path[:, BEFORE + 12 :] += 0.05
        found = mean_path(path, start, HOUR)
        planted += missed(found.low, found.high)
    assert told > 0.9 * WORLDS
    assert (misses / told <= 0.05 + ERROR).all(), misses / told
    assert (planted / told > 0.8).all(), planted / told
    # Days as units would have been wrong here: the test can tell.
    assert naive[1] / told > 0.08, naive / told


def test_a_market_where_something_follows_is_told_from_one_where_nothing_does():
    path, start = world(3, 180, 2, False)
    found = mean_path(path, start, HOUR)
    assert not missed(found.low, found.high).any()
    assert found.merged < found.stretches < 20
    path[:, BEFORE + 12 :] += 0.08
    found = mean_path(path, start, HOUR)
    assert missed(found.low, found.high).all()
