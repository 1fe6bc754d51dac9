"""The made-up markets are what they say: they pull nowhere, unless an edge is planted."""

import numpy as np
import pytest

from backtest.maps import read_maps
from backtest.statistics.clustered import clustered_mean
from backtest.strategies.breakout import Breakout
from backtest.verdict import verdict
from tests.backtest.edge_worlds import crowd
from tests.backtest.edge_worlds.crowd import SLOTS, Edge
from tests.backtest.edge_worlds.judged import found, judge
from tests.backtest.edge_worlds.six import FILTERED, SIX
from tests.backtest.edge_worlds.told import HOUR
from tests.backtest.edge_worlds.world import FREE, World

PARTS = ("short_above", "long_below", "cluster_above", "cluster_below")


@pytest.fixture(scope="module")
def year():
    return World(seed=1, terms=FREE).tapes()


def test_the_same_seed_is_the_same_world(year):
    again = World(seed=1, terms=FREE).tapes()
    other = World(seed=2, terms=FREE).tapes()
    for one, two, three in zip(year, again, other, strict=True):
        np.testing.assert_array_equal(one.bars.close_px, two.bars.close_px)
        assert (one.bars.close_px != three.bars.close_px).all()


def test_worlds_of_one_seed_differ_by_their_edge_alone(year):
    """An hour's return differs by the pull, to whichever side, and by nothing else."""
    pulled = World(seed=1, terms=FREE, edge=Edge(pull=1e-4)).tapes()
    for one, two in zip(year, pulled, strict=True):
        apart = np.diff(np.log(two.bars.close_px)) - np.diff(np.log(one.bars.close_px))
        assert np.isclose(np.abs(apart), 1e-4, rtol=0.01, atol=0).mean() > 0.99
        assert 0.2 < (apart > 0).mean() < 0.8


def test_nothing_that_looks_back_earns_before_costs():
    """Nor does a rule lose; where touches are made to push on, the same figures say so."""

    def t(edge):
        means = [
            judge(World(seed=seed, terms=FREE, edge=edge, days=60, coins=2), [Breakout()])[
                0
            ].first.mean
            for seed in range(24)
        ]
        return clustered_mean(np.array(means), np.arange(24)).t

    assert abs(t(Edge())) < 3
    assert t(Edge(push=0.005)) > 3
    assert t(Edge(push=-0.005)) < -3


def beyond_a_level(tapes):
    """Return t of how far past a level of 0.5 % a bar closes that has met it, clustered."""
    gains, days = [], []
    for tape in tapes:
        bars = tape.period
        for way, far in ((1, bars.high_px), (-1, bars.low_px)):
            level = bars.open_px * (1 + way * 0.005)
            met = way * (far - level) >= 0
            gains.append(way * (bars.close_px / level - 1)[met])
            days.append(bars.start.astype("datetime64[D]")[met])
    return clustered_mean(np.concatenate(gains), np.concatenate(days)).t


def test_who_is_filled_at_a_level_is_filled_at_what_it_is_worth(year, monkeypatch):
    """Else a rule with more stops is the better one; with extremes of ticks alone it was."""
    assert abs(beyond_a_level(year)) < 2
    monkeypatch.setattr(crowd, "BEYOND", 0.0)
    assert beyond_a_level(World(seed=1, terms=FREE).tapes()) > 4


def test_the_world_is_hard_on_statistics(year):
    moves = [np.diff(np.log(tape.bars.close_px)) for tape in year]
    for move in moves:
        size = np.abs(move)
        assert 0.4 < move.std() * np.sqrt(24 * 365) < 1.2
        assert (move**4).mean() / (move**2).mean() ** 2 > 5
        assert np.corrcoef(size[:-24], size[24:])[0, 1] > 0.05
        by_hour = size[: size.size // 24 * 24].reshape(-1, 24).mean(axis=0)
        assert by_hour.max() > 1.5 * by_hour.min()
    assert 0.3 < np.corrcoef(moves[0], moves[1])[0, 1] < 0.7


def test_bars_hold_together(year):
    for tape in year:
        tape.bars.check()
        assert (tape.bars.open_px[1:] == tape.bars.close_px[:-1]).all()
    (fine,) = World(seed=1, days=5, coins=1, fine=True).tapes()
    assert fine.fine.interval == "5m"
    assert fine.fine.high_px.reshape(-1, 12).max(axis=1) == pytest.approx(fine.period.high_px)
    assert "drilled" in fine.readings


def test_a_cluster_is_closed_by_the_price_that_meets_it(year):
    walked = year[0].told.walked
    high, low = (
        getattr(year[0].bars, name)[:-1, None] * np.ones(SLOTS)
        for name in ("high_px", "low_px")
    )
    for closed, held, met in (
        (walked.short_notional, slice(0, SLOTS), lambda at: at <= high),
        (walked.long_notional, slice(SLOTS, None), lambda at: at >= low),
    ):
        at, notional = walked.cluster_px[:-1, held], walked.cluster_notional[:-1, held]
        gone = np.where(met(at), notional, 0).sum(axis=1)
        np.testing.assert_allclose(closed[:-1], gone)
        assert 0.01 < (gone > 0).mean() < 0.3


def test_a_map_is_known_when_it_was_published_and_no_sooner(year):
    tape = year[0]
    maps = tape.view().maps()
    age = (tape.bars.end - maps.snapshot_ts)[maps.known] / HOUR
    assert maps.known.sum() == len(tape.period) - 1
    assert (age.min(), age.max()) == (tape.told.lag, tape.told.lag + tape.told.every - 1)


def test_the_crowd_in_sql_says_what_its_maps_say():
    (tape,) = World(seed=3, days=10, coins=1).asked()
    bars = tape.bars
    asked = np.arange(len(bars)) % 3 == 0
    ours = tape.read_maps(asked, bars.end, bars.close_px, 15.0)
    theirs = read_maps(
        tape.lake, tape.coin, asked, bars.end, bars.close_px, reach_pct=15.0, knowable=True
    )
    np.testing.assert_array_equal(ours.snapshot_ts, theirs.snapshot_ts)
    for name in PARTS:
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-12)
    assert ours.known.sum() > 100


def test_flow_is_of_the_bar_and_of_those_before(year):
    """The norm of a week that is cut off, and the bar's own liquidations, by hand."""
    tape = year[0]
    flow = tape.told.flow(tape.bars)
    walked = tape.told.walked
    row = 200
    both = walked.short_notional + walked.long_notional
    norm = both[row - 168 : row].sum() / (168 * 60)
    assert flow.velocity_ratio[row] == pytest.approx(both[row] / 60 / max(norm, 1))
    assert np.isnan(flow.score[:42]).all()
    assert np.isfinite(flow.score[42:]).all()
    assert flow.score[42:].max() > 5


@pytest.mark.parametrize(
    "name",
    [
        "asymmetry filter",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in SIX
            if name != "asymmetry filter"
        ),
    ],
)
def test_each_strategy_goes_all_the_way(name):
    """From bars to a verdict in words; what is counted adds up."""
    strategy = SIX[name]
    world = World(seed=11, days=45, coins=2, draws=4)
    findings = found(world, strategy)
    first = findings.readings[0]
    assert first.attempts >= 10
    assert first.trades <= first.attempts
    assert sum(month.attempts for month in findings.months) == first.attempts
    assert findings.months[0].month == "2025-01"
    assert findings.costs.fees > 0
    assert len(findings.placebos) >= 3
    assert all(0 < placebo.p <= 1 for placebo in findings.placebos if placebo.p is not None)
    said = verdict(findings)
    assert said[0].startswith("Tested: ")
    assert "simulated rows" in said[0]
    assert findings.of_json(findings.as_json()) == findings


def test_an_edge_that_was_planted_is_found_and_none_where_there_is_none():
    """One world of each, before placebos; see test_edge_is_told.py for many."""
    with_edge, without = (
        judge(World(seed=7, edge=Edge(pull=pull)), [FILTERED])[0] for pull in (0.002, 0.0)
    )
    assert with_edge.hopeful
    assert not without.hopeful
    assert without.first.sign <= 0
