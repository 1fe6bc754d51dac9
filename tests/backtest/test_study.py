import json

import numpy as np
import pytest

from backtest.replay import BOUNDS
from backtest.rule import VARIANTS, Rule
from backtest.slippage import SlippageUnknown
from backtest.study import comparisons, run_study, verdicts
from backtest.terms import Costs
from tests.backtest.small_lake import (
    HOURS,
    VOLUME,
    at,
    book,
    land_bars,
    land_book,
    land_context,
    land_funding,
    land_instrument,
    land_lake,
    land_snapshot,
    walk,
)
from warehouse.catalog import open_lake

RULE = Rule(lookback=6, stop_pct=1.0, target_pct=1.5, max_bars=12, reach_pct=10.0)
NAMES = [variant.name for variant in VARIANTS]


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    return land_lake(tmp_path_factory.mktemp("lake"))


@pytest.fixture(scope="module")
def study(lake):
    return run_study(lake, "BTC", at(6), at(HOURS), rule=RULE)


def rows(lake, query):
    return open_lake(lake).sql(query).pl()


def test_every_variant_is_run_under_both_readings(study):
    assert [(run.variant.name, run.replay.bound) for run in study.runs] == [
        (name, bound) for name in NAMES for bound in BOUNDS
    ]
    assert len({run.run_id for run in study.runs}) == len(NAMES)
    assert all(len(run.replay) > 0 for run in study.runs)


def test_every_signal_is_accounted_for(study):
    for run in study.runs:
        figures = run.figures()
        lost = figures["refused"] + figures["unfilled"]
        if run.variant.filters:
            lost += figures["unmapped"]
        assert figures["signals"] == figures["trades"] + lost
    refused = {run.variant.name: run.refused for run in study.runs}
    unmapped = {run.variant.name: run.unmapped for run in study.runs}
    assert refused["without map"] == refused["cluster take-profit"] == 0
    assert refused["asymmetry filter"] > 0
    assert unmapped["without map"] == 0
    assert unmapped["cluster take-profit"] > 0


def test_without_a_map_the_take_profit_is_the_fixed_one(study):
    run = study.run("cluster take-profit", "pessimistic")
    decided = run.decisions
    unmapped = (decided.side != 0) & np.isnat(decided.snapshot_ts)
    assert unmapped.any()
    assert np.isnan(decided.target_px[unmapped]).all()
    assert (decided.orders["target_fraction"] == 0.015).all()


def test_only_published_maps_are_used(lake, study):
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


def test_tables_say_what_the_runs_say(lake, study):
    runs = rows(lake, "from backtest_runs")
    trades, equity = rows(lake, "from backtest_trades"), rows(lake, "from backtest_equity")
    assert runs.height == len(study.runs)
    assert equity.height == len(study.runs) * len(study.bars)
    for run in study.runs:
        mine = {"run_id": run.run_id, "bound": run.replay.bound}
        (row,) = runs.filter(**mine).to_dicts()
        made = trades.filter(**mine).sort("trade")
        curve = equity.filter(**mine).sort("time_ts")
        assert row["variant"] == run.variant.name
        assert row["trades"] == made.height == len(run.replay)
        assert made["pnl"].sum() == pytest.approx(curve["equity"][-1] - 10_000.0)
        assert row["return_fraction"] == pytest.approx(curve["equity"][-1] / 10_000.0 - 1)
        assert row["fees"] == pytest.approx(made["fees"].sum())
        assert row["funding"] == pytest.approx(made["funding"].sum())
        assert row["slippage"] == pytest.approx(made["slippage"].sum())
        assert "bars by the impact law" in json.loads(row["costs"])["slippage_basis"]
        assert (made["decided_ts"] == made["entry_ts"]).all()  # no hole: the close is the open
        assert row["end_ts"] == row["known_ts"] == at(HOURS)
        assert json.loads(row["parameters"])["lookback"] == 6
        assert ("min_ratio" in row["parameters"]) == run.variant.filters
        assert row["source"] == "undertow"
        gain = made["size"] * (made["exit_px"] - made["entry_px"])
        np.testing.assert_allclose(
            made["pnl"], gain - made["fees"] - made["funding"], atol=1e-9
        )
    plain = trades.filter(run_id=study.run("without map", "pessimistic").run_id)
    assert plain["snapshot_ts"].null_count() == plain.height
    assert set(plain["target_source"]) == {"fixed"}
    assert "cluster" in set(trades["target_source"])


def test_the_same_study_twice_leaves_the_same_bytes(lake, study):
    before = {path: path.read_bytes() for path in lake.glob("backtest_*/*/*.parquet")}
    assert before
    again = run_study(lake, "BTC", at(6), at(HOURS), rule=RULE)
    assert {path: path.read_bytes() for path in lake.glob("backtest_*/*/*.parquet")} == before
    assert [run.run_id for run in again.runs] == [run.run_id for run in study.runs]


def test_another_question_has_another_name(lake, study):
    names = {run.run_id for run in study.runs}
    for more in (
        {"rule": Rule(lookback=6, stop_pct=1.1, target_pct=1.5, max_bars=12)},
        {"rule": RULE, "costs": Costs(funding="none")},
        {"rule": RULE, "costs": Costs(slippage="none")},
        {"rule": RULE, "knowable": False},
    ):
        other = run_study(lake, "BTC", at(6), at(HOURS), write=False, **more)
        assert names.isdisjoint(run.run_id for run in other.runs)


def test_other_rows_have_another_name(tmp_path, study):
    """A map that changes renames the variants that read it, and no other."""
    root = land_lake(tmp_path)
    land_snapshot(root, 18, [("BTC", -1000.0, 103.0), ("BTC", 1.0, 97.0)], known=22)
    other = run_study(root, "BTC", at(6), at(HOURS), rule=RULE, write=False)
    for variant in VARIANTS:
        one, two = (s.run(variant.name, "pessimistic").run_id for s in (study, other))
        assert (one != two) == variant.uses_map


@pytest.mark.parametrize("cut", [60, 101, 150])
@pytest.mark.parametrize("knowable", [True, False])
def test_the_future_cannot_change_the_past(tmp_path, lake, cut, knowable):
    """A lake that ends at the cut, and one that goes on, tell the same story up to it."""
    short = land_lake(tmp_path, hours=cut)
    one, two = (
        run_study(root, "BTC", at(6), until, rule=RULE, knowable=knowable, write=False)
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


def test_missing_funding_is_an_error_unless_it_is_left_out(tmp_path):
    land_bars(tmp_path, walk(), volume=VOLUME)
    with pytest.raises(
        LookupError, match="no funding of BTC at hyperliquid for 2026-01-02 07:00"
    ):
        run_study(tmp_path, "BTC", at(6), at(HOURS), rule=RULE)
    free = run_study(tmp_path, "BTC", at(6), at(HOURS), rule=RULE, costs=Costs(funding="none"))
    assert all((run.replay.trades["funding"] == 0).all() for run in free.runs)
    assert any("funding is left out" in note for note in free.notes)
    # Nothing is known of any map: the filter takes nothing, and says why.
    filtered = free.run("asymmetry filter", "optimistic")
    assert (len(filtered.replay), filtered.unmapped) == (0, filtered.signals)
    assert filtered.figures()["mean_trade"] is None
    assert rows(tmp_path, "from backtest_runs").height == 8


def test_simulated_rows_make_simulated_runs(tmp_path):
    root = land_lake(tmp_path, source="simulated")
    study = run_study(root, "BTC", at(6), at(HOURS), rule=RULE, write=False)
    assert {run.source for run in study.runs} == {"simulated"}


def test_a_simulated_map_taints_only_who_reads_it(tmp_path):
    land_bars(tmp_path, walk(), volume=VOLUME)
    land_funding(tmp_path, [0.0] * (HOURS + 1))
    land_snapshot(tmp_path, 0, book(np.random.default_rng(1), 100.0), source="simulated")
    study = run_study(tmp_path, "BTC", at(6), at(HOURS), rule=RULE, write=False)
    for run in study.runs:
        assert (run.source == "simulated") == run.variant.uses_map
    assert any("positions of simulated: simulated rows are mixed" in n for n in study.notes)


def test_what_a_reader_must_know_is_said(lake, study):
    said = " ".join(study.notes)
    assert "signals had a map published by then" in said
    assert "h old in the median" in said
    assert "five significant figures" in said
    live = run_study(lake, "BTC", at(6), at(HOURS), rule=RULE, knowable=False, write=False)
    assert "no follower of an archive could have done" in " ".join(live.notes)
    assert any("touches" in sentence for sentence in study.assumptions)


def test_studies_are_judged_together(study):
    alone = comparisons([study], "pessimistic", np.random.default_rng(0))
    twice = comparisons([study, study], "pessimistic", np.random.default_rng(0))
    assert list(alone) == NAMES[1:]
    for name in alone:
        assert twice[name].trades_with == 2 * alone[name].trades_with
        assert twice[name].days == alone[name].days
        assert twice[name].difference == pytest.approx(alone[name].difference)
    assert verdicts([study]) == verdicts([study])
    assert len(verdicts([study])) == 3


def test_an_unknown_run_names_the_known_ones(study):
    with pytest.raises(LookupError, match="asymmetry filter"):
        study.run("magic", "pessimistic")


def test_slippage_is_charged_unless_it_is_left_out(lake, study, tmp_path):
    for run in study.runs:
        assert (run.replay.trades["slippage"] > 0).all()
    free = run_study(
        lake, "BTC", at(6), at(HOURS), rule=RULE, costs=Costs(slippage="none"), write=False
    )
    assert all((run.replay.trades["slippage"] == 0).all() for run in free.runs)
    assert "BTC: slippage: none, as asked." in free.notes
    one, other = (s.run("without map", "pessimistic").figures() for s in (study, free))
    assert one["slippage"] > 0 == other["slippage"]
    land_bars(tmp_path, walk())
    land_funding(tmp_path, [0.0] * (HOURS + 1))
    with pytest.raises(SlippageUnknown, match="slippage of BTC is not known for the bar of"):
        run_study(tmp_path, "BTC", at(6), at(HOURS), rule=RULE)
    assert rows(tmp_path, "from backtest_runs").height == 0


def test_recorded_books_change_what_market_orders_pay_and_nothing_else(study, tmp_path):
    """One level of a million coins, 1 % from the mid: every market order pays 1 %."""
    root = land_lake(tmp_path)
    for hour in range(6, HOURS):
        land_book(root, hour, [(99.0, 1e6)], [(101.0, 1e6)])
    other = run_study(root, "BTC", at(6), at(HOURS), rule=RULE, write=False)
    assert any(
        "194 of 194 bars from recorded books (median age 0 min)" in n for n in other.notes
    )
    trades = other.run("without map", "pessimistic").replay.trades
    opened = dict(zip(other.bars.start, other.bars.open_px, strict=True))
    for trade in trades:
        px = opened[other.bars.start[trade["entered"]]]
        assert trade["entry_px"] == pytest.approx(px * (1 + 0.01 * np.sign(trade["size"])))


def test_the_account_is_held_to_the_coins_leverage_and_tiers(study, tmp_path):
    said = " ".join(study.notes)
    assert "50 times equity; the coin's margin tiers are not known at the start" in said
    root = land_lake(tmp_path)
    land_instrument(root, 5, tiers=[(0.0, 2.0)])
    # Twice the equity is allowed; half of that is its maintenance, so a fall of 1/3 ends it.
    held = {"stop_pct": 90.0, "target_pct": 90.0, "max_bars": 200, "lookback": 6}
    for notional, trades in ((19_000.0, 1), (21_000.0, 0)):
        rule = Rule(notional=notional, **held)
        other = run_study(root, "BTC", at(6), at(HOURS), rule=rule, write=False)
        assert len(other.run("without map", "pessimistic").replay) == trades
    assert any("2 times equity; the account is liquidated by the" in n for n in other.notes)


def test_funding_is_taken_on_the_oracle_price(lake, study, tmp_path):
    root = land_lake(tmp_path)
    for hour in range(6, HOURS):
        land_context(root, hour, oracle=200.0)
    other = run_study(root, "BTC", at(6), at(HOURS), rule=RULE, write=False)
    one, two = (s.run("without map", "pessimistic").replay.trades for s in (study, other))
    assert np.abs(one["funding"]).sum() > 10
    # Prices wander around 100.
    np.testing.assert_allclose(two["funding"], 2 * one["funding"], rtol=0.2)
