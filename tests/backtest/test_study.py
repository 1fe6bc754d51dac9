"""A rule is replayed with the map and without it, and knows no more than was published."""

import json
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import pytest

from backtest.decisions import Decisions
from backtest.strategies.breakout import Breakout
from backtest.strategies.strategy import WITHOUT_MAP, Strategy
from backtest.terms import Costs, Terms
from tests.backtest.data_studies import (
    BOTH,
    ENTRY,
    RULES,
    TARGET,
    only,
    replayed,
    trades_of,
)
from tests.backtest.small_lake import (
    HOURS,
    at,
    land_lake,
)
from warehouse.catalog import open_lake


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    return land_lake(tmp_path_factory.mktemp("lake"))


def rows(lake, query):
    return open_lake(lake).sql(query).pl()


def test_a_rule_is_run_with_and_without_the_map_under_both_readings(studies):
    for rule in RULES:
        played = studies[rule.variant]
        assert [(run.strategy.variant, run.replay.bound) for run in played.runs] == [
            (name, bound)
            for name in (WITHOUT_MAP, rule.variant)
            for bound in ("pessimistic", "optimistic")
        ]
        assert all(len(run.replay) > 0 for run in played.runs)
    names = {run.run_id for played in studies.values() for run in played.base}
    assert len(names) == 1  # what knows no map is the same in all of them


def test_a_rule_that_knows_no_map_has_no_other(lake):
    played = replayed(lake, ENTRY)
    assert (len(played.own), played.base) == (2, [])


def test_every_signal_is_accounted_for(studies):
    for played in studies.values():
        for run in played.runs:
            figures = run.figures()
            lost = figures["refused"] + figures["unfilled"]
            if "asymmetry_filter" in run.strategy.variant:
                lost += figures["unmapped"]
            assert figures["signals"] == figures["trades"] + lost
    figures = {name: only(played).figures() for name, played in studies.items()}
    plain = only(studies["asymmetry_filter"], base=True).figures()
    assert plain["refused"] == figures["cluster_take_profit"]["refused"] == 0
    assert figures["asymmetry_filter"]["refused"] > 0
    assert plain["unmapped"] == 0
    assert figures["cluster_take_profit"]["unmapped"] > 0


def test_without_a_map_the_take_profit_is_the_fixed_one(studies):
    decided = only(studies["cluster_take_profit"]).decisions
    unmapped = (decided.side != 0) & np.isnat(decided.snapshot_ts)
    assert unmapped.any()
    assert np.isnan(decided.target_px[unmapped]).all()
    assert (decided.orders["target_fraction"] == 0.015).all()


def test_only_published_maps_are_used(lake, studies):
    known = dict(
        rows(lake, "select snapshot_ts::timestamp, known_ts::timestamp from snapshots").rows()
    )
    used = rows(
        lake,
        "select decided_ts::timestamp, snapshot_ts::timestamp from backtest_trades "
        "where snapshot_ts is not null",
    ).rows()
    assert used
    assert all(known[snapshot] <= decided for decided, snapshot in used)


def test_tables_say_what_the_runs_say(lake, studies):
    told = rows(lake, "from backtest_runs")
    trades, equity = rows(lake, "from backtest_trades"), rows(lake, "from backtest_equity")
    assert told.height == 8
    assert equity.height == 8 * (HOURS - 6)
    for played in studies.values():
        for run in played.runs:
            mine = {"run_id": run.run_id, "bound": run.replay.bound}
            (row,) = told.filter(**mine).to_dicts()
            made = trades.filter(**mine).sort("trade")
            curve = equity.filter(**mine).sort("time_ts")
            assert (row["strategy"], row["variant"]) == ("breakout", run.strategy.variant)
            assert row["trades"] == made.height == len(run.replay)
            assert made["pnl"].sum() == pytest.approx(curve["equity"][-1] - 10_000.0)
            assert row["return_fraction"] == pytest.approx(curve["equity"][-1] / 10_000.0 - 1)
            for name in ("fees", "funding", "slippage"):
                assert row[name] == pytest.approx(made[name].sum())
            assert "bars by the impact law" in json.loads(row["costs"])["slippage_basis"]
            # No hole: the close is the open.
            assert (made["decided_ts"] == made["entry_ts"]).all()
            assert row["end_ts"] == row["known_ts"] == at(HOURS)
            assert json.loads(row["parameters"]) == run.strategy.parameters()
            assert row["source"] == "undertow"
            gain = made["size"] * (made["exit_px"] - made["entry_px"])
            np.testing.assert_allclose(
                made["pnl"], gain - made["fees"] - made["funding"], atol=1e-9
            )
            low = made.select(pl.min_horizontal("best_px", "worst_px")).to_series()
            high = made.select(pl.max_horizontal("best_px", "worst_px")).to_series()
            assert (low <= high).all()
            clusters = made.filter(target_source="cluster")
            ahead = clusters["cluster_px"] - clusters["target_px"]
            assert (ahead.sign() == clusters["size"].sign()).all()
            assert (
                made.filter(pl.col("target_source") != "cluster")["cluster_px"].is_null().all()
            )
    plain = trades.filter(run_id=only(studies["cluster_take_profit"], base=True).run_id)
    assert plain["snapshot_ts"].null_count() == plain.height
    assert set(plain["target_source"]) == {"fixed"}
    assert "cluster" in set(trades["target_source"])


@pytest.mark.parametrize("cut", [60, 101, 150])
@pytest.mark.parametrize("knowable", [True, False])
def test_the_future_cannot_change_the_past(tmp_path, lake, cut, knowable):
    """A lake that ends at the cut, and one that goes on, tell the same story up to it."""
    short = land_lake(tmp_path, hours=cut)
    one, two = (
        replayed(root, replace(BOTH, moves=True), until=until, knowable=knowable)
        for root, until in ((short, at(cut)), (lake, at(HOURS)))
    )
    for early, late in zip(one.runs, two.runs, strict=True):
        last = len(early.bars) - 1
        closed = early.replay.trades["left"] < last
        assert closed.any()
        count = int(closed.sum())
        for name in ("entered", "left", "exit_px", "pnl", "target_px"):
            np.testing.assert_array_equal(
                early.replay.trades[name][closed], late.replay.trades[name][:count]
            )
        np.testing.assert_array_equal(early.replay.equity[:last], late.replay.equity[:last])


def test_what_a_reader_must_know_is_said(lake, studies):
    played = studies[BOTH.variant]
    said = " ".join(played.notes)
    assert "signals had no map or flow by then" in said
    assert "h old in the median" in said
    assert "five significant figures" in said
    live = replayed(lake, knowable=False)
    assert "no follower of an archive could have done" in " ".join(live.notes)
    assert any("touches" in sentence for sentence in played.assumptions)
    terms = Terms(Costs(funding="none"), limit="through", latency=np.timedelta64(2, "s"))
    other = " ".join(replayed(lake, ENTRY, terms=terms).assumptions)
    assert "after 2 s on the way" in other
    assert "trades 1 ticks beyond them" in other
    assert "Hourly funding" not in other


def test_a_strategy_must_decide_on_every_bar(lake):
    class Short(Breakout):
        def decide(self, view):
            return super().decide(view).since(3)

    with pytest.raises(ValueError, match="it must give Decisions, one per bar of the view"):
        replayed(lake, Short())


def test_a_moving_target_follows_the_map(lake, studies):
    still, moved = studies["cluster_take_profit"], replayed(lake, replace(TARGET, moves=True))
    one, two = trades_of(still), trades_of(moved)
    assert not np.array_equal(one["target_px"], two["target_px"])
    assert (np.isfinite(two["target_px"])).all()


@dataclass(frozen=True, kw_only=True)
class Turns(Strategy):
    """Turns at every twentieth bar."""

    def decide(self, view):
        turn = np.arange(len(view)) % 20 == 0
        side = np.where(turn, np.where(np.arange(len(view)) % 40 == 0, 1, -1), 0)
        return Decisions.of(side, leave=turn, notional=1e4)


def test_a_turn_at_one_close_is_a_signal_too(lake):
    figures = only(replayed(lake, Turns())).figures()
    assert figures["signals"] == figures["trades"] == 10
