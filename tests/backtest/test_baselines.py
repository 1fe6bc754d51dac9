import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.decisions import Decisions
from backtest.strategies.asymmetry_filter import AsymmetryFilter
from backtest.strategies.atr_targets import AtrTargets, atr
from backtest.strategies.buy_and_hold import BuyAndHold
from backtest.strategies.mean_reversion_symmetric import (
    MeanReversionSymmetric,
    crossings,
    deviations,
)
from backtest.strategies.momentum import Momentum, ways
from backtest.strategies.sized import Sized, stop_distances, volatility
from tests.backtest.fixed import Fixed
from tests.backtest.views import HOUR, NAN, maps_of, view_of


def test_who_buys_and_holds_buys_at_the_first_close_of_the_period():
    made = BuyAndHold(notional=500.0).decide(view_of([100.0] * 5, warmup=2))
    assert made.side.tolist() == [0, 0, 1, 0, 0]
    assert np.isnan(made.orders["stop_fraction"]).all()
    assert (made.orders["max_bars"] == 0).all()
    assert len(BuyAndHold().decide(view_of([]))) == 0


def test_momentum_turns_where_the_way_does():
    close = [100.0, 101.0, 102.0, 101.5, 100.0, 100.0, 103.0]
    assert ways(np.array(close), 2).tolist() == [0, 0, 1, 1, -1, -1, 1]
    made = Momentum(lookback=2).decide(view_of(close))
    assert made.side.tolist() == [0, 0, 1, 0, -1, 0, 1]
    # It leaves the other side, and that one only.
    assert made.orders["leave"].tolist() == (made.side != 0).tolist()
    assert made.orders["only_side"].tolist() == (-made.side).tolist()


def test_momentum_enters_at_the_first_close_of_the_period_whenever_it_turned():
    close = [100.0, 101.0, 102.0, 103.0, 104.0]
    assert Momentum(lookback=1).decide(view_of(close, warmup=3)).side.tolist() == [
        0,
        1,
        0,
        1,
        0,
    ]


walks = st.lists(st.integers(90, 110).map(float), min_size=1, max_size=30).map(np.array)


@given(close=walks, lookback=st.integers(1, 6))
def test_momentum_down_is_momentum_up_in_the_mirror(close, lookback):
    assert (ways(close, lookback) == -ways(200 - close, lookback)).all()


@given(close=walks, lookback=st.integers(1, 5))
def test_a_range_in_the_mirror_is_as_wide(close, lookback):
    here = atr(close + 1, close - 2, close, lookback)
    np.testing.assert_allclose(here, atr(202 - close, 199 - close, 200 - close, lookback))


@given(close=walks, lookback=st.integers(2, 6))
def test_a_deviation_in_the_mirror_is_the_other_way(close, lookback):
    here, there = deviations(close, lookback), deviations(200 - close, lookback)
    np.testing.assert_allclose(here, -there, atol=1e-9)
    assert (crossings(here) == -crossings(-here)).all()


def ranged(entry, **more):
    close, high, low = [100.0, 100.0, 104.0, 100.0], [101, 101, 104, 105], [99, 99, 101, 99]
    # True ranges 2, 4 (from the close before), 6; of two bars 3 and 5.
    view = view_of(close, high=high, low=low)
    return AtrTargets(entry=entry, lookback=2, **more).decide(view).orders


def test_exits_lie_at_multiples_of_the_range():
    made = ranged(Fixed(sides=(1, 1, -1, 1), stop_px=50.0), stop_atr=2.0, target_atr=3.0)
    assert made["side"].tolist() == [0, 0, -1, 1]
    np.testing.assert_allclose(made["stop_fraction"], [NAN, NAN, 6 / 104, 0.1])
    np.testing.assert_allclose(made["target_fraction"], [NAN, NAN, 9 / 104, 0.15])
    assert np.isnan(made["stop_px"]).all()


def test_an_exit_that_is_not_asked_for_stays_that_of_the_entry():
    made = ranged(Fixed(sides=(0, 0, 1, 1)), stop_atr=None)
    assert (made["stop_fraction"] == 0.03).all()
    np.testing.assert_allclose(made["target_fraction"][2:], [9 / 104, 0.15])


def test_a_level_that_would_not_be_above_0_is_no_entry():
    made = ranged(Fixed(sides=(0, 0, 1, -1)), stop_atr=50.0, target_atr=1.0)
    assert made["side"].tolist() == [0, 0, 0, -1]
    made = ranged(Fixed(sides=(0, 0, 1, -1)), stop_atr=1.0, target_atr=50.0)
    assert made["side"].tolist() == [0, 0, 1, 0]


def test_bars_that_do_not_move_give_no_range_and_no_entry():
    made = AtrTargets(entry=Fixed(sides=(1,) * 5), lookback=2).decide(view_of([100.0] * 5))
    assert not made.side.any()
    assert (made.wanted == 1).all()


def sized(sides=(1, -1, 0), entry=None, close=(100.0, 100.0, 100.0), width=HOUR, **more):
    entry = entry or Fixed(sides=sides, stop_fraction=0.04)
    return Sized(entry=entry, **more).decide(view_of(close, width=width)).orders


def test_an_entry_of_a_notional_is_worth_that():
    made = sized(by="notional", amount=123.0)
    assert (made["notional"] == 123.0).all()
    assert np.isnan(made["share"]).all()


def test_an_entry_of_a_risk_loses_that_share_of_equity_at_its_stop():
    made = sized(by="risk", amount=1.0)
    assert made["share"][:2].tolist() == [0.25, 0.25]
    assert np.isnan(made["notional"]).all()
    priced = Fixed(sides=(1, 0, 0), stop_fraction=0.5, stop_px=98.0)
    assert sized(entry=priced, by="risk", amount=1.0)["share"][0] == pytest.approx(0.5)
    assert sized(by="risk", amount=40.0, most=3.0)["share"][0] == 3.0


def test_the_stop_of_a_resting_entry_is_measured_from_its_price():
    made = Decisions.of(
        np.array([1, -1]), kind="limit", px=[90.0, 110.0], stop_px=[81.0, 121.0], notional=1.0
    )
    np.testing.assert_allclose(stop_distances(made, np.array([100.0, 100.0])), 0.1)


def test_risk_without_a_stop_is_an_error():
    with pytest.raises(ValueError, match="by risk must size entries with a stop, and fixed"):
        sized(entry=Unstopped(sides=(1, 0, 0)), by="risk")
    # Where nothing enters there is nothing to size.
    assert not sized(entry=Unstopped(sides=(0, 0, 0)), by="risk")["side"].any()


class Unstopped(Fixed):
    @property
    def name(self):
        return "fixed"

    def decide(self, view):
        return super().decide(view).but(stop_fraction=NAN)


def test_an_entry_of_a_volatility_moves_the_account_by_that_a_day():
    close = [100.0, 101.0, 100.0, 101.0]
    a = np.log(1.01)
    spread = np.std([a, -a, a], ddof=1)
    made = sized((0, 1, 0, 1), close=close, by="volatility", amount=2.0, lookback=3, most=99.0)
    assert made["side"].tolist() == [0, 0, 0, 1]
    assert made["share"][3] == pytest.approx(0.02 / (spread * np.sqrt(24)))
    minutes = sized(
        (0, 0, 0, 1),
        close=close,
        by="volatility",
        amount=2.0,
        lookback=3,
        most=99.0,
        width=np.timedelta64(60_000_000, "us"),
    )
    assert minutes["share"][3] == pytest.approx(0.02 / (spread * np.sqrt(1440)))


def test_a_price_that_stands_still_has_no_volatility_to_size_by():
    made = sized((0, 0, 0, 1), close=[100.0] * 4, by="volatility", lookback=2)
    assert not made["side"].any()
    assert np.isnan(volatility(np.full(2, 100.0), 2)).all()


def test_sizes_change_no_side_and_no_exit():
    entry = AsymmetryFilter(entry=Fixed(sides=(1, 1, 0)))
    maps = maps_of(above=[5.0, 1.0, 1.0], below=[1.0, 5.0, 1.0])
    view = view_of([100.0] * 3, maps=maps)
    plain, other = entry.decide(view), Sized(entry=entry, by="risk").decide(view)
    for name in set(plain.orders.dtype.names) - {"notional", "share"}:
        np.testing.assert_array_equal(plain.orders[name], other.orders[name])
    np.testing.assert_array_equal(plain.snapshot_ts, other.snapshot_ts)
    assert Sized(entry=entry).variant == "asymmetry_filter"
    assert Sized(entry=entry).without_map() == Sized(entry=Fixed(sides=(1, 1, 0)))


# The mean of 4 closes before bar 4 is 100, their deviation 1.1547.
AWAY = [99.0, 101.0, 99.0, 101.0, 97.0, 98.0, 99.0, 100.0, 104.0, 90.0]


def reverted(above, below, close=AWAY, **more):
    rule = MeanReversionSymmetric(lookback=4, far=2.0, **more)
    n = len(close)
    maps = maps_of(above=[above] * n, below=[below] * n)
    return rule, view_of(close, maps=maps)


def test_a_far_close_is_faded_in_a_symmetric_regime_and_left_at_the_mean():
    rule, view = reverted(100.0, 150.0)
    made = rule.decide(view)
    # 97 lies 2.6 deviations under the mean of 100; 99 over that of 98.75.
    assert made.side.tolist() == [0, 0, 0, 0, 1, 0, 0, 0, -1, 0]
    assert np.flatnonzero(made.orders["leave"]).tolist() == [6, 9]
    assert made.orders["only_side"][[6, 9]].tolist() == [1, -1]
    assert (np.isnat(made.snapshot_ts) == (made.side == 0)).all()


@pytest.mark.parametrize(
    ("above", "below", "unmapped"),
    [(100.0, 200.0, False), (500.0, 100.0, False), (0.0, 0.0, False), (NAN, NAN, True)],
)
def test_in_no_other_regime_it_is(above, below, unmapped):
    rule, view = reverted(above, below)
    made = rule.decide(view)
    assert not made.side.any()
    assert made.wanted[4] == 1
    assert made.unmapped[4] == unmapped
    assert rule.without_map().decide(view).side[4] == 1


def test_closes_that_are_all_alike_are_far_from_nothing():
    assert np.isnan(deviations(np.array([100.0] * 4 + [150.0]), 4)).all()
