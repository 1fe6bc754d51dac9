"""Placebos of whole studies, on a lake of late snapshots."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from backtest.decisions import Decisions
from backtest.placebos.atlas import Atlas, NotHeld
from backtest.placebos.coin_placebos import NAMES, allowed
from backtest.placebos.looked import decided, look
from backtest.placebos.mirrored import mirrored_flow
from backtest.placebos.placebo import placebo_rows
from backtest.placebos.play import play_placebos
from backtest.placebos.yesterday import yesterdays_flow
from backtest.pooled import attempts_of
from backtest.question import Question
from backtest.slippage import Slippage
from backtest.strategies.asymmetry_filter import AsymmetryFilter
from backtest.strategies.breakout import Breakout
from backtest.strategies.cluster_take_profit import ClusterTakeProfit
from backtest.strategies.strategy import Strategy
from backtest.study import play
from backtest.tape import load_tape
from backtest.terms import Costs, Terms
from tests.backtest.made import At
from tests.backtest.small_lake import (
    HOURS,
    at,
    land_bars,
    land_fills,
    land_funding,
    land_lake,
    land_snapshot,
    walk,
)
from warehouse.catalog import open_lake
from warehouse.contracts.tables import BACKTEST_PLACEBOS
from warehouse.store import landing

ENTRY = Breakout(lookback=6, stop_pct=1.0, target_pct=1.5, max_bars=12)
BOTH = ClusterTakeProfit(entry=AsymmetryFilter(entry=ENTRY, reach_pct=10.0), reach_pct=10.0)


@dataclass(frozen=True, kw_only=True)
class FollowFlow(Strategy):
    """Sell where longs were liquidated."""

    def decide(self, view):
        return Decisions.of(
            -(view.flow().long_notional > 0).astype(np.int8), max_bars=3, notional=1e4
        )


HOUR = np.timedelta64(1, "h")


def asked(strategy, **more):
    some = {"coins": ("BTC",), "since": at(6), "until": at(HOURS), "draws": 8, "seed": 5}
    return Question(strategy=strategy, **some | more)


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    """BTC, of which there are maps, and ETH, of which there are none."""
    root = land_lake(tmp_path_factory.mktemp("lake"))
    land_bars(root, walk(seed=9), coin="ETH", volume=1e5)
    land_funding(root, [0.0] * (HOURS + 1), coin="ETH")
    with open_lake(root) as con:
        yield con


@pytest.fixture(scope="module")
def played(con):
    return play(con, asked(BOTH))


@pytest.fixture(scope="module")
def placebos(played):
    return {one.name: one for one in play_placebos(played)}


def test_a_rule_of_maps_has_every_placebo(placebos):
    assert {name: len(one.draws) for name, one in placebos.items()} == {
        "random times": 8,
        "mirrored": 1,
        "shuffled": 8,
        "distance only": 1,
        "yesterday": 1,
    }
    assert [one.name for one in placebos.values() if one.drawn] == ["random times", "shuffled"]
    # All others may enter where the rule did.
    assert [one.name for one in placebos.values() if not one.in_place] == ["random times"]


def test_a_rule_without_maps_has_only_random_times(con):
    found = play_placebos(play(con, asked(ENTRY)))
    assert [one.name for one in found] == ["random times"]


def test_the_rule_s_own_attempts_are_those_of_its_run(played):
    (own,) = played.of("pessimistic")
    attempts = attempts_of([(own.bars, own.replay)])
    assert len(attempts) == own.replay.attempts
    assert attempts.trades == len(own.replay)
    assert attempts.mean == pytest.approx(own.figures()["mean_attempt"])


def test_placebos_make_as_many_attempts_or_fewer_and_others(played, placebos):
    own = played.of("pessimistic")[0]
    for draw in placebos["random times"].draws:
        assert 0 < len(draw.attempts) <= own.replay.attempts
    means = [one.means[0] for name, one in placebos.items()]
    assert len({*means, own.figures()["mean_attempt"]}) == len(means) + 1


def test_the_same_seed_draws_the_same_and_another_does_not(con, played, placebos):
    again = {one.name: one.means for one in play_placebos(played)}
    assert again == {name: one.means for name, one in placebos.items()}
    other = replace(played, question=asked(BOTH, seed=6))
    for one in play_placebos(other):
        assert (one.means != again[one.name]) == one.drawn


def test_rows_are_as_their_contract_says(played, placebos):
    rows = placebo_rows("abc", played, list(placebos.values()))
    BACKTEST_PLACEBOS.check(rows)
    assert rows.num_rows == 19
    (mirrored,) = [row for row in rows.to_pylist() if row["placebo"] == "mirrored"]
    draw = placebos["mirrored"].draws[0]
    assert mirrored["attempts"] == len(draw.attempts)
    assert mirrored["trades"] == draw.attempts.trades
    assert mirrored["pnl"] == draw.pnl
    assert mirrored["start_ts"] == at(6)


def test_a_draw_that_trades_nothing_is_a_draw(con):
    """Else coins have unlike many draws, and a placebo of none would not be there."""
    never = AsymmetryFilter(entry=ENTRY, reach_pct=10.0, min_ratio=4.0)
    found = {one.name: one for one in play_placebos(play(con, asked(never)))}
    assert [len(one.attempts) for one in found["shuffled"].draws] == [0] * 8


def test_two_coins_are_pooled(con, placebos):
    """ETH has no map: it enters nothing, and BTC alone makes what placebos make.  A shuffle
    moves both among the moments of both."""
    played = play(con, asked(BOTH, coins=("BTC", "ETH")))
    assert len(played.of("pessimistic")[1].replay) == 0
    found = {one.name: one.means for one in play_placebos(played)}
    assert list(found) == list(placebos)
    for name, means in found.items():
        assert (means == placebos[name].means) == (name != "shuffled")
    plain = play(con, asked(ENTRY, coins=("BTC", "ETH"), draws=1))
    (times,) = play_placebos(plain)
    parts = [attempts_of([(run.bars, run.replay)]) for run in plain.of("pessimistic")]
    assert min(map(len, parts)) > 0
    assert max(map(len, parts)) < len(times.draws[0].attempts) <= sum(map(len, parts))


def test_nothing_enters_before_its_cost_is_known(con):
    """The law knows nothing of the first bars, and an entry there would be an error."""
    played = play(con, asked(At(rows=tuple(range(20, 190, 3))), since=at(0), draws=30))
    (tape,) = played.tapes
    first = int(np.flatnonzero(allowed(tape))[0])
    curves = tape.slippage.curves[tape.slippage.row]
    assert first > 0
    assert np.isnan(curves[first]).any()
    assert np.isfinite(curves[first + 1 :]).all()
    assert not allowed(tape)[-1]
    (times,) = play_placebos(played)
    assert len(times.draws) == 30
    free = replace(tape, slippage=Slippage.none(len(tape.period)))
    assert allowed(free)[:-1].all()


def test_what_a_rule_looks_at_is_seen(con, played):
    tape = played.tapes[0]
    assert look(tape, BOTH).reach_pct == 10.0
    assert look(tape, BOTH).flow is None
    assert look(tape, ENTRY).reach_pct is None
    told = look(tape, FollowFlow())
    assert told.reach_pct is None
    assert told.flow is not None


@pytest.fixture(scope="module")
def liquidated(tmp_path_factory):
    """A study of flow: four days in which longs or shorts were liquidated by turns."""
    root = land_lake(tmp_path_factory.mktemp("flow"))
    sides = np.random.default_rng(3).choice(["long", "short", ""], 96)
    with landing(root) as batches:
        for hour, side in enumerate(sides):
            land_fills(batches, hour, [(10, side, 5000.0)] if side else [])
    terms = Terms(Costs(slippage="none"))
    with open_lake(root) as con:
        yield sides, play(con, asked(FollowFlow(), since=at(0), until=at(96), terms=terms))


def test_a_rule_of_flow_has_every_placebo_but_the_distance(liquidated):
    """Of its four days three others stand in a day's place.  Before the first nothing is known
    of how restless it was: it stays, and the other three can stand in five other orders."""
    _, played = liquidated
    found = {one.name: len(one.draws) for one in play_placebos(played)}
    assert found == {"random times": 5, "mirrored": 1, "shuffled": 3, "yesterday": 1}


def test_flow_placebos_enter_where_their_flow_says(liquidated):
    """The rule sells after hours in which longs were liquidated; its mirror, shorts."""
    sides, played = liquidated
    (tape,), (own,) = played.tapes, played.of("pessimistic")
    flow = look(tape, FollowFlow()).flow
    last = np.arange(96) < 95  # at the last close nothing is decided that could fill
    sold = {name: np.flatnonzero((sides == name) & last) for name in ("long", "short")}
    assert np.flatnonzero(own.decisions.side[:-1]).tolist() == sold["long"].tolist()
    mirror = decided(tape, FollowFlow(), None, mirrored_flow(flow))
    assert np.flatnonzero(mirror.side[:-1]).tolist() == sold["short"].tolist()
    late = decided(tape, FollowFlow(), None, yesterdays_flow(flow, tape.bars))
    day_after = sold["long"][sold["long"] < 71] + 24
    assert np.flatnonzero(late.side[:-1]).tolist() == day_after.tolist()


@pytest.fixture
def two_maps(tmp_path):
    """Snapshots at hours 10 and 20, known at once, at 100 and 200; in each one short above."""
    close = [100.0] * 15 + [200.0] * 15
    land_bars(tmp_path, [(px, px, px, px) for px in close], volume=1e5)
    land_funding(tmp_path, [0.0] * 31)
    land_snapshot(tmp_path, 10, [("BTC", -1.0, 105.0), ("BTC", 3.0, 90.0)], mark=100.0)
    land_snapshot(tmp_path, 20, [("BTC", -2.0, 220.0)], mark=200.0)
    with open_lake(tmp_path) as con:
        yield load_tape(
            con,
            "BTC",
            np.datetime64("2026-01-02T06", "us"),
            np.datetime64("2026-01-03T06", "us"),
            Terms(Costs(slippage="none")),
        )


def test_a_shuffled_map_stands_as_far_from_the_price(two_maps):
    """Of two maps each stands where the other was."""
    bars = two_maps.bars
    rows = np.isin(bars.end, np.datetime64("2026-01-02T12") + np.array([0, 9]) * HOUR)
    atlas = Atlas(two_maps, rows, 15.0)
    assert atlas.snapshots.size == 2
    maps = atlas.reader(np.array([1, 0]))(rows, bars.end, bars.close_px, 15.0)
    early, late = np.flatnonzero(rows)
    assert np.isnan(maps.short_above[~rows]).all()
    assert maps.short_above[early] == pytest.approx(440.0)
    assert maps.cluster_above[early] == pytest.approx(110.0)
    assert maps.long_below[early] == 0.0
    assert np.isnan(maps.cluster_below[early])
    assert maps.short_above[late] == pytest.approx(105.0)
    assert maps.cluster_above[late] == pytest.approx(210.0)
    assert maps.long_below[late] == pytest.approx(270.0)
    # The edge that price meets first is the upper one: a window of 1 % above 90.
    assert 180.0 <= maps.cluster_below[late] < 182.0


def test_the_atlas_says_what_the_lake_says(played):
    """Up to its bins of 0.1 %, in which one position of forty may lie."""
    tape = played.tapes[0]
    bars = tape.bars
    asked = np.zeros(len(bars), bool)
    asked[40:180:3] = True
    read = Atlas(tape, asked, 10.0).reader()
    for moments in (bars.end, bars.end - 24 * HOUR):
        own = tape.read_maps(asked, moments, bars.close_px, 10.0)
        same = read(asked, moments, bars.close_px, 10.0)
        assert own.known.any()
        assert np.array_equal(own.snapshot_ts, same.snapshot_ts, equal_nan=True)
        np.testing.assert_allclose(same.cluster_above, own.cluster_above)
        np.testing.assert_allclose(same.cluster_below, own.cluster_below)
        largest = np.nanmax(own.short_above + own.long_below)
        np.testing.assert_allclose(same.short_above, own.short_above, atol=0.07 * largest)
        np.testing.assert_allclose(same.long_below, own.long_below, atol=0.07 * largest)


def test_more_than_was_asked_for_is_not_held(two_maps):
    bars = two_maps.bars
    rows = np.arange(len(bars)) == 8
    read = Atlas(two_maps, rows, 5.0).reader()
    with pytest.raises(NotHeld, match=r"reach_pct 10\.0 is more than 5\.0"):
        read(rows, bars.end, bars.close_px, 10.0)
    for other in (7, len(bars) - 1):
        with pytest.raises(NotHeld, match="did not ask before"):
            read(np.arange(len(bars)) == other, bars.end, bars.close_px, 5.0)


@dataclass(frozen=True, kw_only=True)
class AsksOnceMore(Strategy):
    """Asks at a few closes, and at those after them by what it was told."""

    def decide(self, view):
        rows = np.arange(len(view)) % 10 == 3
        first = view.maps(rows)
        second = view.maps(np.roll(first.short_above > first.long_below, 1))
        side = np.where(second.short_above > 0, 1, 0).astype(np.int8)
        return Decisions.of(side, notional=1e4, max_bars=2)


def test_a_rule_that_asks_by_what_it_is_told_is_shown_all_maps(con):
    played = play(con, asked(AsksOnceMore()))
    asks = look(played.tapes[0], AsksOnceMore()).asked
    assert 0 < asks.sum() < len(asks) // 2
    found = {one.name: one for one in play_placebos(played)}
    assert len(found["shuffled"].draws) == 8
    assert all(len(draw.attempts) for draw in found["shuffled"].draws)


def test_names_are_in_the_order_of_their_seeds():
    """A new placebo comes last, or the draws of the others change."""
    assert NAMES == ("random times", "mirrored", "shuffled", "distance only", "yesterday")
