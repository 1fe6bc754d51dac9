"""Entries at random times as pure functions: what each draw keeps, and what days are alike."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.decisions import Decisions
from backtest.findings.against import against
from backtest.placebos.days_alike import DaysAlike, days_alike, restlessness
from backtest.placebos.play import play_placebos
from backtest.placebos.random_times import random_times
from backtest.records import LEFT, NOT_TAKEN, OPENED, STOP, TIME, TRADE, UNFILLED
from backtest.replay import Replay
from tests.backtest.made import HOUR, START, At, bars_of, planted, played_of, tape_of


def replay_with(n, entries, trades=()):
    outcome = np.full((n, 1), NOT_TAKEN, np.int8)
    for row, how in entries.items():
        outcome[row] = how
    made = np.zeros(len(trades), TRADE)
    for row, (entered, left, reason) in zip(made, trades, strict=True):
        row["entered"], row["left"], row["reason"] = entered, left, reason
    start = START + np.arange(n) * HOUR
    flat = np.full(n, 1e4)
    return Replay("pessimistic", start, made, flat, np.zeros((n, 1)), outcome, 1e4)


DAY = START.astype("datetime64[D]")


def one_group(days):
    return DaysAlike(DAY + np.arange(days), np.ones(days, np.int64))


def other(made, played, bars, allowed, seed=3, alike=None):
    """A draw in which no entry stays on its day."""
    alike = alike or one_group(9)
    for more in range(99):
        rng = np.random.default_rng([seed, more])
        if (alike.drawn(rng) != alike.day).all():
            return random_times(
                made, played, bars, allowed, alike, np.random.default_rng([seed, more])
            )
    raise AssertionError("no draw moves all days")


def test_random_times_move_what_reached_the_venue_with_its_levels():
    """Of three signals one came while a position was open: it was no attempt."""
    n = 96
    side = np.zeros(n, np.int8)
    side[[13, 15, 20]] = [1, 1, -1]
    close = np.linspace(100, 139, n)
    made = Decisions.of(
        side,
        kind="limit",
        px=close * 0.99,
        stop_px=close * 0.9,
        target_fraction=0.03,
        notional=np.arange(n) * 10.0 + 1,
        move_target_px=200.0,
    )
    played = replay_with(n, {13: OPENED, 20: UNFILLED})
    allowed = (np.arange(n) >= 10) & (np.arange(n) < n - 1)
    bars = bars_of(close)
    moved = other(made, played, bars, allowed, alike=one_group(4))
    rows = np.flatnonzero(moved.side)
    # Seven hours apart, on one other day, at the same hours.
    assert (rows % 24).tolist() == [13, 20]
    assert rows[1] - rows[0] == 7
    assert rows[0] >= 24
    assert moved.side[rows].tolist() == [1, -1]
    assert moved.orders["notional"][rows].tolist() == [131.0, 201.0]
    assert moved.orders["px"][rows] == pytest.approx(close[rows] * 0.99)
    assert moved.orders["stop_px"][rows] == pytest.approx(close[rows] * 0.9)
    assert np.isnan(moved.orders["move_target_px"]).all()
    assert (moved.orders["max_bars"] == 0).all()
    assert made.side.tolist() == side.tolist()  # what is moved is a copy


def test_an_entry_takes_the_nearest_close_of_its_day_or_none():
    """Hour 5 of the second day is not allowed, nor is any of the third."""
    n = 72
    made = Decisions.of(np.isin(np.arange(n), [4]).astype(np.int8), notional=1.0)
    played = replay_with(n, {4: OPENED})
    allowed = (np.arange(n) < 47) & ~np.isin(np.arange(n), [24 + 4, 24 + 5])
    found = set()
    for seed in range(40):
        rng = np.random.default_rng(seed)
        bars = bars_of(np.full(n, 1.0))
        moved = random_times(made, played, bars, allowed, one_group(3), rng)
        found.add(tuple(np.flatnonzero(moved.side).tolist()))
    assert found == {(4,), (24 + 3,), ()}


def test_where_the_rule_leaves_each_is_held_as_long_as_one_it_left_or_whose_time_was_over():
    """One that was stopped says nothing of how long it would have been held."""
    n = 96
    side = np.zeros(n, np.int8)
    side[[3, 10, 20, 31]] = 1
    made = Decisions.of(side, notional=1.0, leave=np.arange(n) % 7 == 0, max_bars=12)
    trades = [(4, 8, LEFT), (11, 12, STOP), (21, 30, LEFT), (32, 44, TIME)]
    played = replay_with(n, dict.fromkeys((3, 10, 20, 31), OPENED), trades)
    allowed = np.arange(n) < n - 1
    held = set()
    for seed in range(20):
        moved = other(made, played, bars_of(np.full(n, 1.0)), allowed, seed, one_group(4))
        assert not moved.orders["leave"].any()
        held |= set(moved.orders["max_bars"][moved.side != 0])
    assert held == {4, 9, 12}


def test_where_time_alone_ends_trades_it_still_does():
    side = np.zeros(96, np.int8)
    side[[3, 31]] = 1
    made = Decisions.of(side, notional=1.0, max_bars=12)
    played = replay_with(96, {3: OPENED, 31: OPENED}, [(4, 6, STOP), (32, 44, TIME)])
    moved = other(
        made, played, bars_of(np.full(96, 1.0)), np.arange(96) < 95, alike=one_group(4)
    )
    assert moved.orders["max_bars"][moved.side != 0].tolist() == [12, 12]


def test_days_are_alike_that_follow_days_as_restless():
    """By turns ten calm and ten restless ones: each moves among those that follow its own."""
    restless = np.arange(40) // 10 % 2
    move = np.where(np.repeat(restless, 24), 0.02, 0.001) * (-1) ** np.arange(960)
    coins = [bars_of(np.cumprod(1 + move)), bars_of(50 * np.cumprod(1 - move / 7), coin="ETH")]
    closes = [one.end[:-1] for one in coins]
    alike = days_alike(coins, closes)
    assert alike.day.tolist() == (DAY + np.arange(40)).tolist()
    # Nothing is known of the day before the first.
    assert (alike.group == alike.group[0]).sum() == 1
    known = restless[:-1]
    assert np.bincount(alike.group[1:])[1:].tolist() == [10, 10, 10, 9]
    for group in (1, 2, 3, 4):
        assert np.unique(known[alike.group[1:] == group]).size == 1
    seen = restlessness(coins, alike.day)
    assert seen[0] == pytest.approx(2 * 0.001 / 0.021, rel=0.1)
    assert np.isnan(restlessness(coins, alike.day - np.timedelta64(99, "D"))).all()
    moved = [alike.drawn(np.random.default_rng(seed)) for seed in range(20)]
    for to in moved:
        assert sorted(to) == alike.day.tolist()
        at = np.searchsorted(alike.day, to)
        assert (alike.group[at] == alike.group).all()
    assert len({tuple(to.tolist()) for to in moved}) == 20
    assert to[0] == alike.day[0]


def test_no_later_bar_changes_the_day_that_a_day_is_like():
    """What a day itself does is no part of it: else days would be chosen by how they ended."""
    rng = np.random.default_rng(0)
    move = rng.normal(0, 0.01, 480)
    last = move.copy()
    last[-24:] *= 9
    one, two = (bars_of(100 * np.exp(np.cumsum(x))) for x in (move, last))
    day = DAY + np.arange(20)
    usual = [np.abs(np.log(x.close_px / x.open_px)).mean() for x in (one, two)]
    before = [restlessness([x], day - np.timedelta64(1, "D")) for x in (one, two)]
    np.testing.assert_allclose(before[0][1:] * usual[0], before[1][1:] * usual[1], rtol=1e-9)


@given(
    group=st.lists(st.integers(0, 3), min_size=1, max_size=6),
    data=st.data(),
)
def test_ways_are_counted_as_by_trying_them_all(group, data):
    days = DAY + np.arange(len(group))
    alike = DaysAlike(days, np.array(group))
    held = np.array(
        data.draw(st.lists(st.booleans(), min_size=len(group), max_size=len(group)))
    )
    tried = {
        tuple(days[list(to)][held].tolist())
        for to in permutations(range(len(group)))
        if all(group[a] == group[b] for a, b in enumerate(to))
    }
    assert alike.ways(days[held]) == len(tried)


def test_where_few_others_are_there_are_few_draws():
    """An entry on one of four days that are all alike has three other places."""
    (alone,) = play_placebos(played_of([tape_of(np.full(96, 1.0))], At(rows=(30,)), draws=50))
    assert len(alone.draws) == 3
    assert against(alone.draws[0].attempts, alone, np.random.default_rng(0)).p is None


def test_coins_that_move_as_one_are_moved_as_one():
    """Else luck that they share would be evened out of a placebo, and not of the rule."""
    close, rows = planted(20, 0.0, seed=3)
    one, other = tape_of(close), tape_of(close, coin="ETH")
    alone, both = (
        play_placebos(played_of(tapes, At(rows=rows), draws=9))[0]
        for tapes in ([one], [one, other])
    )
    assert both.means == pytest.approx(alone.means, rel=1e-12)
    assert len(set(alone.means)) > 1


@given(
    sides=st.lists(st.sampled_from([-1, 0, 1]), min_size=96, max_size=96),
    seed=st.integers(0, 99),
)
def test_random_times_keep_counts_sides_and_hours(sides, seed):
    """But for those at midnight: the first day has no such close, its first is the nearest."""
    side = np.array(sides, np.int8)
    side[-1] = 0
    n = side.size
    made = Decisions.of(side, notional=1.0)
    played = replay_with(n, dict.fromkeys(np.flatnonzero(side), OPENED))
    allowed = np.arange(n) < n - 1
    rng = np.random.default_rng(seed)
    moved = random_times(made, played, bars_of(np.full(n, 1.0)), allowed, one_group(4), rng)
    for hour in range(1, 23):
        assert sorted(moved.side[hour::24]) == sorted(side[hour::24])
    assert moved.side[-1] == 0
    moved.check()


def test_an_entry_where_none_is_allowed_is_refused():
    made = Decisions.of(np.ones(4, np.int8), notional=1.0)
    played = replay_with(4, dict.fromkeys(range(3), OPENED))
    with pytest.raises(ValueError, match="entry 0 lies at a close not allowed"):
        random_times(
            made,
            played,
            bars_of(np.ones(4)),
            np.arange(4) == 2,
            one_group(1),
            np.random.default_rng(0),
        )
