"""What a bar does to a position's levels, against every path of prices that it allows."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from backtest.kernels import inside
from backtest.records import STILL_OPEN, STOP, TARGET
from tests.reference import replay_bar as obvious
from tests.reference.replay_bar import Bar

NAMES = {STILL_OPEN: None, STOP: "behind", TARGET: "target"}
prices = st.integers(90, 110).map(float)


@st.composite
def bars(draw):
    four = sorted(draw(st.lists(prices, min_size=4, max_size=4)))
    low, first, second, high = four
    inner = (first, second) if draw(st.booleans()) else (second, first)
    return Bar(inner[0], high, low, inner[1])


@settings(max_examples=300)
@given(
    bar=bars(),
    side=st.sampled_from([1, -1]),
    behind=st.none() | prices,
    target=st.none() | prices,
    through=st.sampled_from([0.0, 0.0, 2.0]),
    since=st.sampled_from([inside.SINCE_OPEN, inside.BY_LIMIT, inside.BY_STOP]),
    entry=prices,
    optimistic=st.booleans(),
)
def test_an_exit_is_the_worst_or_best_of_all_paths(
    bar, side, behind, target, through, since, entry, optimistic
):
    if since == inside.SINCE_OPEN:
        entry = bar.open
    else:
        # A limit lies where the price must come against the position, a stop entry ahead.
        away = side if since == inside.BY_STOP else -side
        assume(away * (entry - bar.open) > 0 and bar.low <= entry <= bar.high)
    assume(behind is None or side * (entry - behind) > 0)
    assume(target is None or side * (target - entry) > 0)
    goal = None if target is None else target + side * through
    begins = None if since == inside.SINCE_OPEN else entry
    possible = obvious.ends(bar, side, behind, goal, begins)
    reason, ambiguous = inside.exit_in_bar(
        side,
        np.nan if behind is None else behind,
        np.nan if target is None else target,
        through,
        bar.high,
        bar.low,
        bar.close,
        since,
        optimistic,
    )
    assert NAMES[reason] == obvious.read(possible, optimistic)
    assert ambiguous == (len(possible) > 1)


@given(
    bar=bars(),
    side=st.sampled_from([1, -1]),
    fraction=st.sampled_from([0.01, 0.05, 0.1]),
    ahead=st.integers(0, 5),
    since=st.sampled_from([inside.SINCE_OPEN, inside.BY_LIMIT, inside.BY_STOP]),
    optimistic=st.booleans(),
)
def test_a_trailing_stop_follows_the_path(bar, side, fraction, ahead, since, optimistic):
    best = bar.open + side * ahead
    how = {inside.BY_LIMIT: "limit"}.get(since)
    args = side, fraction, best, bar.high, bar.low, bar.close, since
    found = inside.trail_in_bar(*args, optimistic)
    wanted = obvious.trail(bar, side, fraction, best, how, optimistic)
    assert found[2] == wanted[2]
    assert found[:2] == pytest.approx(wanted[:2])
    other = obvious.trail(bar, side, fraction, best, how, not optimistic)
    assert found[3] == (wanted[2] != other[2])
