import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.maps import Maps
from backtest.strategies.asymmetry_filter import AsymmetryFilter
from backtest.strategies.breakout import Breakout, breakout
from backtest.strategies.cascade_fade import CascadeFade
from backtest.strategies.cascade_follow import CascadeFollow
from backtest.strategies.catalogue import STRATEGIES
from backtest.strategies.cluster_take_profit import ClusterTakeProfit, cluster_targets
from backtest.strategies.mean_reversion_symmetric import MeanReversionSymmetric
from backtest.strategies.momentum import Momentum
from backtest.strategies.regime_stops import RegimeStops
from backtest.strategies.sized import Sized
from backtest.strategies.strategy import WITHOUT_MAP, Wrapper
from tests.backtest.fixed import Fixed
from tests.backtest.views import NAN, START, cut_of, flow_of, maps_of, view_of


def test_a_breakout_looks_at_closes_against_earlier_extremes():
    high = np.array([10.0, 12.0, 11.0, 15.0, 12.5, 12.0])
    low = np.array([8.0, 9.0, 9.0, 10.0, 10.0, 7.0])
    close = np.array([9.0, 11.0, 10.0, 12.0, 12.1, 8.9])
    # Bar 3 closes on the range's high of 12 (not beyond); bar 5 under its low of 9.
    assert breakout(high, low, close, 3).tolist() == [0, 0, 0, 0, 0, -1]
    close[3] = 12.01
    assert breakout(high, low, close, 3).tolist() == [0, 0, 0, 1, 0, -1]
    made = Breakout(lookback=3, stop_pct=1.0, notional=500.0).decide(
        view_of(close, high=high, low=low)
    )
    assert made.side.tolist() == [0, 0, 0, 1, 0, -1]
    assert (made.orders["stop_fraction"] == 0.01).all()
    assert (made.orders["notional"] == 500.0).all()
    assert not made.unmapped.any()


def test_a_breakout_needs_its_whole_range():
    rising = np.arange(1.0, 6.0)
    assert breakout(rising, rising, rising, 5).tolist() == [0] * 5
    assert breakout(rising, rising, rising, 4).tolist() == [0, 0, 0, 0, 1]
    with pytest.raises(ValueError, match="lookback 0"):
        breakout(rising, rising, rising, 0)
    with pytest.raises(ValueError, match="lookback 0 must be 1 bar or more"):
        Breakout(lookback=0)


walks = st.lists(st.integers(90, 110).map(float), min_size=1, max_size=30).map(np.array)


@given(close=walks, lookback=st.integers(1, 6))
def test_a_breakout_down_is_one_up_in_the_mirror(close, lookback):
    here = breakout(close + 1, close - 1, close, lookback)
    there = breakout(201 - close, 199 - close, 200 - close, lookback)
    assert (here == -there).all()


def filtered(sides, maps, **more):
    entry = Fixed(sides=tuple(sides))
    # Nothing fills after the last close, so nobody asks there.
    sides, n = (*sides, 0), len(sides) + 1
    entry = Fixed(sides=sides)
    return AsymmetryFilter(entry=entry, **more).decide(view_of([100.0] * n, maps=maps))


def test_the_filter_wants_the_larger_magnet_ahead():
    maps = maps_of(above=[200, 199, 0, 100, 101, 900, 1], below=[100, 100, 0, 200, 200, 100, 1])
    sides = [1, 1, 1, -1, -1, 0]
    made = filtered(sides, maps, min_ratio=2.0)
    assert made.side.tolist() == [1, 0, 0, -1, 0, 0, 0]
    assert made.wanted.tolist() == [*sides, 0]
    assert (np.isnat(made.snapshot_ts) == (made.side == 0)).all()
    assert not made.unmapped.any()
    assert filtered(sides, maps).side.tolist() == [1, 1, 0, -1, -1, 0, 0]


def test_the_filter_refuses_where_nothing_lies_ahead_or_no_map_is_known():
    nothing = filtered([1, -1], maps_of(above=[0, 0, 0], below=[0, 0, 0]))
    assert (nothing.side.tolist(), nothing.unmapped.tolist()) == ([0] * 3, [False] * 3)
    unknown = filtered([1, -1], Maps.unknown(3), min_ratio=0.0)
    assert (unknown.side.tolist(), unknown.unmapped.tolist()) == ([0] * 3, [True, True, False])


@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from([-1, 0, 1]),
            st.sampled_from([0.0, 1.0, 2.0, 4.0, NAN]),
            st.sampled_from([0.0, 1.0, 2.0, 4.0]),
        ),
        min_size=1,
    ),
    ratio=st.sampled_from([0.0, 1.0, 2.0]),
)
def test_the_filter_of_a_short_is_that_of_a_long_in_the_mirror(rows, ratio):
    side, above, below = (list(column) for column in zip(*rows, strict=True))
    below = [NAN if np.isnan(a) else b for a, b in zip(above, below, strict=True)]
    here = filtered(side, maps_of(above=[*above, 1], below=[*below, 1]), min_ratio=ratio)
    mirror = maps_of(above=[*below, 1], below=[*above, 1])
    there = filtered([-s for s in side], mirror, min_ratio=ratio)
    assert (here.side == -there.side).all()
    assert (here.unmapped == there.unmapped).all()


def test_a_target_lies_one_tick_before_the_cluster():
    side = np.array([1, -1, 1, -1, 0], np.int8)
    seen = maps_of(
        cluster_above=[105.003, 1, NAN, 1, 105.0], cluster_below=[1, 95.003, 1, NAN, 95.0]
    )
    target, cluster = cluster_targets(side, seen, 4)
    np.testing.assert_array_equal(target, [104.99, 95.02, NAN, NAN, NAN])
    np.testing.assert_array_equal(cluster, [105.003, 95.003, NAN, NAN, NAN])
    # Without size decimals only five figures bind.
    np.testing.assert_array_equal(cluster_targets(side, seen, None)[0][:2], [104.99, 95.004])


def test_a_target_replaces_that_of_the_entry_where_a_cluster_is_known():
    maps = maps_of(
        above=[1, 1, NAN, 1],
        below=[1, 1, NAN, 1],
        cluster_above=[105.0, NAN, NAN, 1],
        cluster_below=[95.0] * 4,
    )
    entry = Fixed(sides=(1, 1, 1, 0))
    made = ClusterTakeProfit(entry=entry).decide(view_of([100.0] * 4, maps=maps))
    np.testing.assert_array_equal(made.target_px, [104.99, NAN, NAN, NAN])
    assert made.unmapped.tolist() == [False, False, True, False]
    assert np.isnat(made.snapshot_ts).tolist() == [False, False, True, True]
    assert np.isnan(made.orders["move_target_px"]).all()


def test_the_target_of_an_open_trade_moves_as_the_map_does_but_not_where_it_leaves():
    maps = maps_of(
        above=[1] * 5,
        below=[1] * 5,
        cluster_above=[105, 106, 107, 108, 109],
        cluster_below=[1] * 5,
    )
    entry = Fixed(sides=(0, 1, 0, 0, 0), leaves=(3,), told_of=-1)
    made = ClusterTakeProfit(entry=entry, moves=True).decide(view_of([100.0] * 5, maps=maps))
    moved = made.orders["move_target_px"]
    np.testing.assert_array_equal(moved, [NAN, 105.99, 106.99, NAN, NAN])
    assert made.orders["only_side"].tolist() == [0, 1, 1, -1, 0]


def test_two_wrappers_that_move_levels_speak_of_one_side_each():
    """The filter between them takes an entry away, so they think of different trades."""
    n = 6
    above = [100.0, 500.0, 150.0, 100.0, 900.0, 1.0]
    maps = maps_of(
        above=above, below=[100.0] * n, cluster_above=[105.0] * n, cluster_below=[95.0] * n
    )
    inner = RegimeStops(entry=Fixed(sides=(1, 0, -1, 0, 0, 0)), moves=True)
    middle = AsymmetryFilter(entry=inner)
    outer = ClusterTakeProfit(entry=middle, moves=True)
    view = view_of([100.0] * n, high=[100.0] * n, maps=maps)
    assert middle.decide(view).side.tolist() == [1, 0, 0, 0, 0, 0]
    made = outer.decide(view).orders
    # At 4 the regime turns fragile: a stop of the short that was never entered, over the price.
    np.testing.assert_array_equal(made["move_stop_px"], [NAN, 99.0, NAN, NAN, 101.0, NAN])
    assert made["only_side"].tolist() == [1, 1, 1, 1, -1, 0]
    assert np.isnan(made["move_target_px"][4])
    assert (made["move_target_px"][:4] == 104.99).all()


ENTRIES = {
    "breakout": Breakout(lookback=3),
    "cascade_fade": CascadeFade(lookback=2, move_pct=2.0, min_notional=100.0, rises=True),
    "cascade_follow": CascadeFollow(min_notional=50.0, min_move_pct=1.0, flips=True),
    "mean_reversion_symmetric": MeanReversionSymmetric(lookback=4, far=1.0),
    "momentum": Momentum(lookback=3),
    "buy_and_hold": STRATEGIES["buy_and_hold"](),
}
WRAPPED = [
    *ENTRIES.values(),
    *(one.without_map() for one in ENTRIES.values() if one.without_map()),
    *(
        kind(entry=ENTRIES["breakout"], **more)
        for kind, more in (
            (AsymmetryFilter, {}),
            (ClusterTakeProfit, {"moves": True}),
            (RegimeStops, {"moves": True}),
            (STRATEGIES["atr_targets"], {"lookback": 3}),
            (Sized, {"by": "volatility", "lookback": 3}),
        )
    ),
    ClusterTakeProfit(
        entry=RegimeStops(entry=ENTRIES["mean_reversion_symmetric"], moves=True), moves=True
    ),
]


def test_every_strategy_of_the_catalogue_is_tried_here():
    names = {one.name for one in WRAPPED}
    assert names == set(STRATEGIES)


def market(rng, n):
    """Return closes, highs, lows, maps and flow of ``n`` bars."""
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.015, n)))
    high, low = close * (1 + rng.uniform(0, 0.01, n)), close * (1 - rng.uniform(0, 0.01, n))
    sides = rng.choice([0.0, 1.0, 2.0, 5.0, 9.0], (2, n))
    unknown = rng.random(n) < 0.2
    sides[:, unknown] = NAN
    maps = maps_of(
        above=sides[0],
        below=sides[1],
        cluster_above=np.where(unknown, NAN, close * 1.04),
        cluster_below=np.where(unknown, NAN, close * 0.96),
    )
    forced = rng.choice([0.0, 60.0, 500.0], (2, n))
    score = rng.choice([0.0, 4.0, 8.0], n)
    late = rng.random(n) < 0.2
    forced[:, late] = score[late] = NAN
    flow = flow_of(
        n, long_notional=forced[0], short_notional=forced[1], velocity=forced[0], score=score
    )
    return close, high, low, maps, flow


@pytest.mark.parametrize(
    "strategy", WRAPPED, ids=lambda one: f"{one.name} on {one.rule}, {one.variant}"
)
@given(
    seed=st.integers(0, 10**6), n=st.integers(2, 40), warmup=st.integers(0, 5), data=st.data()
)
def test_a_later_bar_map_or_flow_changes_no_earlier_decision(strategy, seed, n, warmup, data):
    cut = data.draw(st.integers(1, n))
    rng = np.random.default_rng(seed)
    close, high, low, maps, flow = market(rng, n)
    warmup = min(warmup, n)
    whole = strategy.decide(
        view_of(close, high=high, low=low, warmup=warmup, maps=maps, flow=flow)
    )
    part = strategy.decide(
        view_of(
            close[:cut],
            high=high[:cut],
            low=low[:cut],
            warmup=min(warmup, cut),
            maps=cut_of(maps, cut),
            flow=cut_of(flow, cut),
        )
    )
    whole.check()
    # At the last close of all no map is asked for, as nothing can fill after it.
    told = cut if cut == n else cut - 1
    for name in ("wanted", "unmapped", "snapshot_ts", "cluster_px"):
        np.testing.assert_array_equal(getattr(part, name)[:told], getattr(whole, name)[:told])
    for name in part.orders.dtype.names:
        np.testing.assert_array_equal(
            part.orders[name][:told], whole.orders[name][:told], err_msg=name
        )
    # What was entered was wanted, and where nothing was known nothing else is said.
    assert (whole.wanted[whole.side != 0] == whole.side[whole.side != 0]).all()
    assert (whole.wanted[whole.unmapped] != 0).all()


@pytest.mark.parametrize("strategy", WRAPPED, ids=lambda one: f"{one.name} on {one.rule}")
def test_the_rule_without_a_map_asks_for_neither_map_nor_flow(strategy):
    plain = strategy.without_map() or strategy
    assert plain.without_map() is None
    assert plain.variant == WITHOUT_MAP
    assert strategy.blind == (strategy.variant == WITHOUT_MAP)
    assert strategy.blind == (strategy.without_map() is None)
    assert plain.rule == strategy.rule

    def refuse(*_):
        raise AssertionError("asked")

    view = view_of(100 + np.arange(30.0) % 7)
    blind = type(view)(view.bars, view.size_decimals, refuse, refuse)
    assert not plain.decide(blind).unmapped.any()


@pytest.mark.parametrize(
    "kind", [one for one in STRATEGIES.values() if issubclass(one, Wrapper)]
)
def test_a_wrapper_looks_back_as_far_as_what_it_wraps(kind):
    assert kind(entry=Breakout(lookback=500)).warmup == 500


@pytest.mark.parametrize(
    ("kind", "parameter", "value", "allowed"),
    [
        ("breakout", "stop_pct", 0.0, "above 0 and below 100"),
        ("breakout", "stop_pct", NAN, "above 0 and below 100"),
        ("breakout", "target_pct", 100.0, "above 0 and below 100"),
        ("breakout", "max_bars", -1, "0 bars or more"),
        ("breakout", "max_bars", 1.5, "a whole number"),
        ("breakout", "notional", 0.0, "above 0"),
        ("breakout", "lookback", 0, "1 bar or more"),
        ("momentum", "lookback", 0, "1 bar or more"),
        ("mean_reversion_symmetric", "lookback", 1, "2 bars or more"),
        ("mean_reversion_symmetric", "far", 0.0, "above 0"),
        ("mean_reversion_symmetric", "reach_pct", 100.0, "above 0 and below 100"),
        ("cascade_follow", "min_score", 10.5, "0 or more and at most 10"),
        ("cascade_follow", "min_notional", -1.0, "0 or more"),
        ("cascade_follow", "min_move_pct", 0.0, "above 0"),
        ("cascade_follow", "fade_share", 0.0, "above 0 and at most 1"),
        ("cascade_fade", "lookback", 0, "1 bar or more"),
        ("cascade_fade", "move_pct", 0.0, "above 0 and below 100"),
        ("cascade_fade", "min_notional", NAN, "0 or more"),
        ("cascade_fade", "spent_share", 1.1, "0 or more and at most 1"),
        ("asymmetry_filter", "min_ratio", -1.0, "0 or more"),
        ("asymmetry_filter", "min_ratio", NAN, "0 or more"),
        ("asymmetry_filter", "reach_pct", 0.0, "above 0 and below 100"),
        ("cluster_take_profit", "reach_pct", -3.0, "above 0 and below 100"),
        ("regime_stops", "symmetric_pct", 100.0, "above 0 and below 100"),
        ("regime_stops", "tilted_pct", 3.1, "above 0 and at most 3.0"),
        ("regime_stops", "fragile_pct", 2.1, "above 0 and at most 2.0"),
        ("regime_stops", "reach_pct", 0.0, "above 0 and below 100"),
        ("atr_targets", "stop_atr", 0.0, "above 0"),
        ("atr_targets", "target_atr", np.inf, "above 0"),
        ("atr_targets", "lookback", 0, "1 bar or more"),
        ("sized", "by", "luck", "one of notional, risk, volatility"),
        ("sized", "amount", 0.0, "above 0"),
        ("sized", "most", 0.0, "above 0"),
        ("sized", "lookback", 1, "2 bars or more"),
    ],
)
def test_a_parameter_that_is_not_allowed_is_named(kind, parameter, value, allowed):
    kind = STRATEGIES[kind]
    entry = {"entry": Breakout()} if issubclass(kind, Wrapper) else {}
    with pytest.raises(ValueError, match=f"^{parameter} {value} must be .*{allowed}") as error:
        kind(**entry, **{parameter: value})
    assert "\n" not in str(error.value)


def test_snapshots_are_those_of_the_map_that_was_used():
    maps = maps_of(above=[5.0, 5.0, 5.0], below=[1.0, 1.0, 1.0])
    made = RegimeStops(entry=Fixed(sides=(1, 0, 0))).decide(view_of([100.0] * 3, maps=maps))
    np.testing.assert_array_equal(
        made.snapshot_ts, np.array([START, "NaT", "NaT"], "datetime64[us]")
    )
