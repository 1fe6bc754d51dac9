"""Trades that outlast a day share their days, and count as fewer."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.findings.against import better_than
from backtest.hurdles import hurdles
from backtest.pooled import attempts_of
from backtest.records import END, LEFT, STOP, TARGET, TIME
from backtest.statistics.clustered import clustered_mean
from backtest.statistics.lasting import days_alike, first_days
from tests.backtest.made import START, bars_of, replay_of, trade_of
from tests.backtest.study_lake import findings
from tests.backtest.test_findings import attempts

DAY = np.datetime64("2026-01-01")


def bets(seed, hold, coins=8, days=360):
    """Returns and days of entry: coins of one market that are held for some days, no edge."""
    rng = np.random.default_rng(seed)
    market, own = rng.normal(size=days + hold), rng.normal(size=(coins, days + hold))
    way = np.cumsum(np.sqrt(0.7) * market + np.sqrt(0.3) * own, axis=1)
    returns, entered = [], []
    for coin in range(coins):
        day = int(rng.integers(1, hold + 2))
        while day < days:
            returns.append(way[coin, day + hold - 1] - way[coin, day - 1])
            entered.append(day)
            day += hold + int(rng.geometric(0.5))
    return np.array(returns), DAY + np.array(entered)


def told_from_0(hold, length, worlds=300):
    """How often a mean without an edge is told from 0 at 5 %."""
    found = 0
    for seed in range(worlds):
        returns, days = bets(seed, hold)
        found += clustered_mean(returns, first_days(days, length)).p <= 0.05
    return found / worlds


@pytest.mark.parametrize("hold", [3, 10])
def test_a_mean_of_long_trades_is_told_from_0_as_often_as_it_should_be(hold):
    """Within three standard errors of 5 %; by the day of entry alone far too often."""
    length = days_alike(np.full(9, float(hold)))
    assert told_from_0(hold, length) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)
    assert told_from_0(hold, 1) > 0.13


def test_one_long_trade_of_many_makes_no_stretch():
    held = np.concatenate([np.full(95, 0.5), np.full(5, 30.0)])
    assert days_alike(held) == 1
    assert days_alike(held[1:]) == 88


@given(
    st.lists(st.integers(0, 400), min_size=1, max_size=30),
    st.integers(1, 60),
)
def test_days_of_a_stretch_are_neighbours_and_in_order(days, length):
    at = DAY + np.array(sorted(days))
    first = first_days(at, length)
    assert (np.diff(first.astype(int)) >= 0).all()
    assert ((at - first).astype(int) < length).all()
    assert (first <= at).all()
    assert (first_days(first, length) == first).all()
    assert (first_days(at, 1) == at).all()


def test_long_trades_against_a_placebo_are_held_by_stretches():
    """Twenty days of entry are one stretch where trades last a month: nothing can be told."""
    rng = np.random.default_rng(0)
    days = [day for day in range(40) for _ in range(2)]
    good, bad = rng.normal(0.02, 0.01, 80), rng.normal(0.0, 0.01, 80)
    short = [attempts(*one, days=days) for one in (good, bad)]
    long = [attempts(*one, days=days, held=np.full(80, 30.0)) for one in (good, bad)]
    assert better_than(*short, np.random.default_rng(1)) < 0.01
    assert better_than(*long, np.random.default_rng(1)) is None
    assert better_than(short[0], long[1], np.random.default_rng(1)) is None


@pytest.mark.parametrize(
    ("reason", "held"), [(STOP, 2.0), (TARGET, 2.0), (END, 2.0), (TIME, 1.0), (LEFT, 1.0)]
)
def test_a_trade_that_ends_within_a_bar_is_held_to_its_end(reason, held):
    """On bars of a day: entered at the open of one, left in the next or at its open."""
    day = np.timedelta64(86_400_000_000, "us")
    hourly = bars_of(np.full(5, 100.0))
    bars = replace(hourly, width=day, interval="1d", start=START + np.arange(5) * day)
    found = attempts_of([(bars, replay_of(5, [trade_of(1, 2, reason=reason)]))])
    assert found.held.tolist() == [held]
    assert found.days_alike == (4 if held > 1 else 1)


def test_a_placebo_that_makes_the_same_trades_is_not_beaten():
    """Nothing differs: that is no want of days, and no reason to call it untold."""
    rng = np.random.default_rng(0)
    same = attempts(*rng.normal(0.01, 0.01, 60), days=list(range(60)))
    assert better_than(same, same, rng) == 1.0


def test_stretches_are_named():
    made = findings()
    long = [replace(one, days_alike=4) for one in made.readings]
    said = [one.said for one in hurdles(replace(made, readings=tuple(long)))]
    assert "4 attempts on 2 stretches of 4 days (at least 30 on 20)" in said
