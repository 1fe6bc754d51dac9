import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.strategies.cascade_fade import CascadeFade, fades, spent
from backtest.strategies.cascade_follow import CascadeFollow, follow
from tests.backtest.views import NAN, cut_of, flow_of, view_of

# A fall of 1.5 % or more in bars 2 to 4, then rest.
FALL = [100.0, 100.0, 98.0, 96.0, 94.0, 94.0, 94.5, 94.5]
LONGS = [0.0, 0.0, 400.0, 900.0, 300.0, 200.0, 0.0, 0.0]


def falling(longs=LONGS, shorts=0.0, score=5.0, known=None):
    n = len(FALL)
    flow = flow_of(
        n,
        long_notional=longs,
        short_notional=np.full(n, shorts),
        score=np.full(n, score),
        velocity=longs,
    )
    if known is not None:
        for values in (flow.long_notional, flow.short_notional, flow.score, flow.velocity):
            values[~np.array(known)] = NAN
    return flow


def followed(flow, closes=FALL, **more):
    rule = CascadeFollow(**{"min_notional": 300.0, "min_move_pct": 1.5, **more})
    return rule.decide(view_of(closes, flow=flow))


def test_a_cascade_is_entered_once_and_left_when_its_velocity_fades():
    made = followed(falling())
    # Entered with 400; the peak is 900, a quarter of it 225: 300 goes on, 200 is spent.
    assert made.side.tolist() == [0, 0, -1, 0, 0, 0, 0, 0]
    assert np.flatnonzero(made.orders["leave"]).tolist() == [5]
    assert made.orders["only_side"][5] == -1
    assert made.wanted.tolist() == made.side.tolist()
    assert not made.unmapped.any()
    assert np.flatnonzero(followed(falling(), fade_share=0.5).orders["leave"]).tolist() == [4]


def test_shorts_that_are_bought_back_are_followed_up():
    rising = [200 - px for px in FALL]
    flow = falling()
    mirror = flow_of(
        8, long_notional=flow.short_notional, short_notional=LONGS, score=flow.score
    )
    made = followed(mirror, rising)
    assert made.side.tolist() == [0, 0, 1, 0, 0, 0, 0, 0]
    assert made.orders["only_side"].tolist() == [0, 0, 0, 0, 0, 1, 0, 0]


@pytest.mark.parametrize(
    ("flow", "more", "entered"),
    [
        (falling(score=2.9), {}, []),
        (falling(score=3.0), {}, [2]),
        (falling(), {"min_notional": 400.0}, [2]),
        (falling(), {"min_notional": 401.0}, [3]),
        (falling(), {"min_move_pct": 2.03}, [3]),  # 2 % in bar 2, 2.04 % in bar 3
        (falling(shorts=401.0), {}, [3]),  # more shorts than longs at first
        (falling(longs=[0.0] * 8, shorts=900.0), {}, []),
    ],
)
def test_score_size_way_and_side_decide_what_a_cascade_is(flow, more, entered):
    made = followed(flow, **more)
    assert np.flatnonzero(made.side).tolist() == entered
    # What moved far enough and was no cascade was refused, not unknown.
    assert not made.unmapped.any()


def test_what_is_not_known_is_not_followed_and_said():
    made = followed(falling(known=[True, True, False, True, True, True, True, True]))
    assert np.flatnonzero(made.side).tolist() == [3]
    assert np.flatnonzero(made.unmapped).tolist() == [2]
    assert made.wanted[2] == -1


def test_a_cascade_that_is_lost_sight_of_is_left():
    made = followed(falling(known=[True, True, True, False, True, True, True, True]))
    # What is seen after it is another one.
    assert np.flatnonzero(made.side).tolist() == [2, 4]
    assert np.flatnonzero(made.orders["leave"]).tolist() == [3, 6]


def test_the_bounce_is_entered_when_the_cascade_is_spent_if_asked():
    made = followed(falling(), flips=True)
    assert made.side.tolist() == [0, 0, -1, 0, 0, 1, 0, 0]
    assert (made.orders["leave"][5], made.orders["only_side"][5]) == (True, -1)


def test_a_cascade_the_other_way_is_entered_where_the_first_one_ends():
    wanted = np.array([0, -1, 1, 0], np.int8)
    run = follow(
        wanted, wanted, np.array([0, 9, 0, 0.0]), np.array([0, 0, 9, 0.0]), 0.5, flips=False
    )
    assert run.side.tolist() == [0, -1, 1, 0]
    assert run.told_of.tolist() == [0, 0, -1, 1]
    assert run.leave.tolist() == [False, False, True, True]


def test_without_flow_the_move_alone_is_followed():
    made = CascadeFollow(min_move_pct=1.5).without_map().decide(view_of(FALL))
    # 2, 2.04 and 2.08 % a bar, then nothing.
    assert made.side.tolist() == [0, 0, -1, 0, 0, 0, 0, 0]
    assert np.flatnonzero(made.orders["leave"]).tolist() == [5]
    assert not made.unmapped.any()


speeds = st.lists(
    st.tuples(
        st.sampled_from([-1, 0, 1]),
        st.booleans(),
        st.sampled_from([0.0, 1.0, 4.0, NAN]),
        st.sampled_from([0.0, 1.0, 4.0, NAN]),
    ),
    min_size=1,
    max_size=30,
)


@given(rows=speeds, flips=st.booleans(), share=st.sampled_from([0.25, 0.5, 1.0]))
def test_following_down_is_following_up_in_the_mirror(rows, flips, share):
    wanted, some, down, up = (np.array(column) for column in zip(*rows, strict=True))
    wanted = wanted.astype(np.int8)
    trigger = np.where(some, wanted, 0).astype(np.int8)
    here = follow(wanted, trigger, down, up, share, flips=flips)
    there = follow(-wanted, -trigger, up, down, share, flips=flips)
    assert (here.side == -there.side).all()
    assert (here.told_of == -there.told_of).all()
    assert (here.leave == there.leave).all()


@given(rows=speeds, flips=st.booleans())
def test_exits_follow_entries_of_their_side(rows, flips):
    wanted, some, down, up = (np.array(column) for column in zip(*rows, strict=True))
    wanted = wanted.astype(np.int8)
    trigger = np.where(some, wanted, 0).astype(np.int8)
    run = follow(wanted, trigger, down, up, 0.5, flips=flips)
    entered = 0
    for row in range(wanted.size):
        if run.leave[row]:
            assert run.told_of[row] == entered
            entered = 0 if flips or not run.side[row] else run.side[row]
        elif run.side[row]:
            assert entered == 0
            entered = run.side[row]


def faded(flow, closes=FALL, **more):
    rule = CascadeFade(**{"lookback": 3, "move_pct": 3.5, "min_notional": 1000.0, **more})
    return rule.decide(view_of(closes, flow=flow))


def test_a_fall_is_bought_once_the_forced_sellers_are_through():
    assert fades(np.array(FALL), 3, 0.035, rises=False).tolist() == [0, 0, 0, 1, 1, 1, 0, 0]
    made = faded(falling())
    # At 3 the newest bar has the most; at 4 a third of the 900, at 5 less.
    assert made.wanted.tolist() == [0, 0, 0, 1, 1, 1, 0, 0]
    assert made.side.tolist() == [0, 0, 0, 0, 1, 1, 0, 0]
    assert faded(falling(), spent_share=0.3).side.tolist() == [0, 0, 0, 0, 0, 1, 0, 0]
    assert faded(falling(), min_notional=1500.0).side.tolist() == [0, 0, 0, 0, 1, 0, 0, 0]
    assert not faded(falling(shorts=600.0)).side.any()
    assert not faded(falling(longs=[0.0] * 8)).unmapped.any()


def test_a_fall_of_which_a_bar_is_not_known_is_not_bought():
    made = faded(falling(known=[True, True, False, True, True, True, True, True]))
    assert made.side.tolist() == [0, 0, 0, 0, 0, 1, 0, 0]
    assert made.unmapped.tolist() == [False, False, False, True, True, False, False, False]


def test_rises_are_sold_only_if_asked():
    rising = [10_000 / px for px in FALL]
    flow = falling()
    mirror = flow_of(
        8, long_notional=flow.short_notional, short_notional=LONGS, score=flow.score
    )
    assert not faded(mirror, rising).wanted.any()
    assert faded(mirror, rising, rises=True).side.tolist() == [0, 0, 0, 0, -1, -1, 0, 0]


def test_without_flow_the_fall_alone_is_bought():
    made = CascadeFade(lookback=3, move_pct=3.5).without_map().decide(view_of(FALL))
    assert made.side.tolist() == [0, 0, 0, 1, 1, 1, 0, 0]


@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from([-1, 0, 1]),
            st.sampled_from([0.0, 1.0, 5.0, NAN]),
            st.sampled_from([0.0, 1.0, 5.0]),
        ),
        min_size=1,
        max_size=20,
    ),
    lookback=st.integers(1, 4),
    share=st.sampled_from([0.0, 0.5, 1.0]),
)
def test_a_rise_is_spent_as_a_fall_in_the_mirror_and_later_bars_change_nothing(
    rows, lookback, share
):
    side, longs, shorts = (np.array(column) for column in zip(*rows, strict=True))
    n = side.size
    flow = flow_of(n, long_notional=longs, short_notional=shorts)
    mirror = flow_of(n, long_notional=shorts, short_notional=longs)
    here, there = (
        spent(flow, side, lookback, 3.0, share),
        spent(mirror, -side, lookback, 3.0, share),
    )
    np.testing.assert_array_equal(here, there)
    cut = max(n // 2, 1)
    part = spent(cut_of(flow, cut), side[:cut], lookback, 3.0, share)
    np.testing.assert_array_equal(np.array(here)[:, :cut], part)
