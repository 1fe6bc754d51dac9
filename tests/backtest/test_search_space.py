"""What a search tries: words, grids, draws, and the strategies that come of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.search.parameters import changed, parameters_of
from backtest.search.space import Axis, axis_of, count_of, settings_of
from backtest.strategies.asymmetry_filter import AsymmetryFilter
from backtest.strategies.breakout import Breakout
from backtest.strategies.cluster_take_profit import ClusterTakeProfit

RULE = ClusterTakeProfit(entry=AsymmetryFilter(entry=Breakout()))


def test_parameters_are_named_from_the_innermost_on():
    assert list(parameters_of(RULE))[-4:] == [
        "asymmetry_filter.min_ratio",
        "asymmetry_filter.reach_pct",
        "cluster_take_profit.moves",
        "cluster_take_profit.reach_pct",
    ]
    assert parameters_of(RULE)["breakout.lookback"] == 24


def test_each_strategy_of_a_chain_takes_its_own_values():
    other = changed(RULE, {"breakout.lookback": 3, "asymmetry_filter.reach_pct": 4.0})
    assert (other.entry.entry.lookback, other.entry.reach_pct, other.reach_pct) == (
        3,
        4.0,
        15.0,
    )
    assert changed(RULE, {}) == RULE


@pytest.mark.parametrize(
    ("word", "axis"),
    [
        ("breakout.stop_pct=1,2", Axis("breakout.stop_pct", (1.0, 2.0))),
        ("lookback=3", Axis("breakout.lookback", (3,))),
        ("stop_pct=none,2", Axis("breakout.stop_pct", (None, 2.0))),
        ("moves=true,false", Axis("cluster_take_profit.moves", (True, False))),
        ("min_ratio=1..4", Axis("asymmetry_filter.min_ratio", (1.0, 4.0), is_range=True)),
        (" breakout.lookback = 2 , 4 ", Axis("breakout.lookback", (2, 4))),
    ],
)
def test_words_say_what_is_tried(word, axis):
    assert axis_of(RULE, word) == axis


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("stop_pct", "must name a parameter and its values"),
        ("stop=1", "'stop' is no parameter of the rule; there are breakout.stop_pct, "),
        ("sized.share=1", "no parameter of the rule"),
        ("reach_pct=1", "several parameters: asymmetry_filter.reach_pct, cluster_take_profit"),
        ("stop_pct=", "a value is missing"),
        ("stop_pct=1,,2", "a value is missing"),
        ("stop_pct=1..", "a value is missing"),
        ("stop_pct=1,1.0", "a value is there twice"),
        ("stop_pct=4..1", "LOW..HIGH"),
        ("stop_pct=1..2..3", "LOW..HIGH"),
        ("stop_pct=none..3", "LOW..HIGH"),
        ("moves=false..true", "LOW..HIGH"),
        ("lookback=2.5", "breakout.lookback '2.5' must be a whole number"),
        ("moves=7", "must be true or false"),
        ("stop_pct=far", "must be a number"),
        ("entry=breakout", "no parameter of the rule"),
    ],
)
def test_words_that_mean_nothing_are_refused_in_a_line(word, said):
    with pytest.raises(ValueError, match=said) as raised:
        axis_of(RULE, word)
    assert "\n" not in str(raised.value)


def test_a_strategy_that_is_there_twice_cannot_be_told_apart():
    twice = AsymmetryFilter(entry=AsymmetryFilter(entry=Breakout()))
    with pytest.raises(ValueError, match="asymmetry_filter is in the rule twice"):
        axis_of(twice, "min_ratio=1,2")


def axes(*words):
    return [axis_of(RULE, word) for word in words]


def test_a_grid_has_every_combination_and_draws_have_none_twice():
    grid = axes("stop_pct=1,2,3", "lookback=4,5")
    assert settings_of(grid, None, 0) == [(1, 4), (1, 5), (2, 4), (2, 5), (3, 4), (3, 5)]
    assert sorted(settings_of(grid, 1_000, 0)) == settings_of(grid, None, 0)
    assert settings_of([], None, 0) == [()]


@given(seed=st.integers(0, 2**32), count=st.integers(1, 300))
def test_draws_are_in_their_ranges_and_the_same_again(seed, count):
    ranges = axes("stop_pct=1..4", "lookback=2..5", "moves=true,false")
    drawn = settings_of(ranges, count, seed)
    assert drawn == settings_of(ranges, count, seed)
    assert 1 <= len(drawn) == len(set(drawn)) <= count
    for stop, lookback, moves in drawn:
        assert 1 <= stop <= 4
        assert lookback in (2, 3, 4, 5)
        assert type(moves) is bool
        changed(RULE, {"breakout.stop_pct": stop, "breakout.lookback": lookback})


def test_draws_fill_their_range():
    stops, lookbacks = zip(
        *settings_of(axes("stop_pct=1..4", "lookback=2..5"), 4_000, 1), strict=True
    )
    assert np.histogram(stops, bins=6, range=(1, 4))[0].min() > 500
    assert np.bincount(lookbacks)[2:].min() > 800


@pytest.mark.parametrize(
    ("words", "draws", "said"),
    [
        (("stop_pct=1..4",), None, "random draws only"),
        (("stop_pct=1,2", "breakout.stop_pct=3"), None, "breakout.stop_pct is there twice"),
        (("stop_pct=1,2",), 0, "random 0 must be 1 setting or more"),
    ],
)
def test_what_cannot_be_counted_is_refused(words, draws, said):
    with pytest.raises(ValueError, match=said):
        count_of(axes(*words), draws)
