import json
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import pytest

from backtest.decisions import Decisions
from backtest.question import Question
from backtest.rows import land_runs
from backtest.runs import name_run
from backtest.slippage import SlippageUnknown
from backtest.strategies.asymmetry_filter import AsymmetryFilter
from backtest.strategies.breakout import Breakout
from backtest.strategies.cascade_follow import CascadeFollow
from backtest.strategies.cluster_take_profit import ClusterTakeProfit
from backtest.strategies.strategy import WITHOUT_MAP, Strategy
from backtest.study import play
from backtest.terms import Costs, Terms
from tests.backtest.small_lake import (
    HOURS,
    VOLUME,
    at,
    book,
    land_bars,
    land_book,
    land_context,
    land_fills,
    land_funding,
    land_instrument,
    land_lake,
    land_snapshot,
    walk,
)
from warehouse.catalog import open_lake

ENTRY = Breakout(lookback=6, stop_pct=1.0, target_pct=1.5, max_bars=12)
FILTER = AsymmetryFilter(entry=ENTRY, reach_pct=10.0)
TARGET = ClusterTakeProfit(entry=ENTRY, reach_pct=10.0)
BOTH = ClusterTakeProfit(entry=FILTER, reach_pct=10.0)
RULES = [FILTER, TARGET, BOTH]


def asked(strategy, **more):
    return Question(
        strategy=strategy, **{"coins": ("BTC",), "since": at(6), "until": at(HOURS)} | more
    )


def replayed(root, strategy=BOTH, **more):
    with open_lake(root) as con:
        return play(con, asked(strategy, **more))


def only(played, bound="pessimistic", *, base=False):
    (run,) = played.of(bound, base=base)
    return run


def trades_of(played, **more):
    return only(played, **more).replay.trades


def without(name):
    return Terms(Costs(**{name: "none"}))


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    return land_lake(tmp_path_factory.mktemp("lake"))


@pytest.fixture(scope="module")
def studies(lake):
    """Each rule's, landed."""
    found = {rule.variant: replayed(lake, rule) for rule in RULES}
    for played in found.values():
        land_runs(lake, played.runs)
    return found


@pytest.fixture(scope="module")
def runs(studies):
    return {run.strategy.variant: run for one in studies.values() for run in one.runs}


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


def test_the_same_study_twice_leaves_the_same_bytes(lake, studies):
    before = {path: path.read_bytes() for path in lake.glob("backtest_*/*/*.parquet")}
    assert before
    again = replayed(lake, BOTH)
    land_runs(lake, again.runs)
    assert {path: path.read_bytes() for path in lake.glob("backtest_*/*/*.parquet")} == before
    assert [run.run_id for run in again.runs] == [
        run.run_id for run in studies[BOTH.variant].runs
    ]


def test_another_question_has_another_name(lake, studies):
    names = {run.run_id for run in studies[BOTH.variant].own}
    for more in (
        {"strategy": replace(BOTH, entry=replace(FILTER, entry=replace(ENTRY, stop_pct=1.1)))},
        {"terms": without("funding")},
        {"terms": without("slippage")},
        {"terms": Terms(leverage=3.0)},
        {"terms": Terms(limit="through")},
        {"terms": Terms(latency=np.timedelta64(1, "s"))},
        {"knowable": False},
    ):
        other = replayed(lake, **{"strategy": BOTH} | more)
        assert names.isdisjoint(run.run_id for run in other.own), more


@pytest.mark.parametrize("name", ["wanted", "unmapped", "cluster_px"])
def test_whatever_is_written_of_decisions_is_in_the_name(studies, name):
    """Two runs whose rows differ may not replace each other, though they trade alike."""
    played = studies[BOTH.variant]
    (tape,), run = played.tapes, only(played)
    leg = tape.leg(BOTH.decide(tape.view()))
    made = leg.decisions
    other = made.but(**{name: np.full(len(made), 1, getattr(made, name).dtype)})
    names = {
        name_run(tape, BOTH, replace(leg, decisions=one), run.costs) for one in (made, other)
    }
    assert names == {run.run_id, *names}
    assert len(names) == 2


def test_other_rows_have_another_name(tmp_path, studies):
    """A map that changes decisions renames the rules that read it, and no other."""
    root = land_lake(tmp_path)
    land_snapshot(root, 18, [("BTC", -1000.0, 103.0), ("BTC", 1.0, 97.0)], known=22)
    for rule in RULES:
        one, two = studies[rule.variant], replayed(root, rule)
        assert only(one).run_id != only(two).run_id
        assert only(one, base=True).run_id == only(two, base=True).run_id


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


def test_missing_funding_is_an_error_unless_it_is_left_out(tmp_path):
    land_bars(tmp_path, walk(), volume=VOLUME)
    with pytest.raises(
        LookupError, match="no funding of BTC at hyperliquid for 2026-01-02 07:00"
    ):
        replayed(tmp_path)
    free = replayed(tmp_path, FILTER, terms=without("funding"))
    assert all((run.replay.trades["funding"] == 0).all() for run in free.runs)
    assert any("funding is left out" in note for note in free.notes)
    # Nothing is known of any map: the filter takes nothing, and says why.
    figures = only(free, "optimistic").figures()
    assert (figures["trades"], figures["unmapped"]) == (0, figures["signals"])
    assert figures["mean_trade"] is None


def test_simulated_rows_make_simulated_runs(tmp_path):
    root = land_lake(tmp_path, source="simulated")
    assert {run.source for run in replayed(root).runs} == {"simulated"}


def test_a_simulated_map_taints_only_who_reads_it(tmp_path):
    land_bars(tmp_path, walk(), volume=VOLUME)
    land_funding(tmp_path, [0.0] * (HOURS + 1))
    land_snapshot(tmp_path, 0, book(np.random.default_rng(1), 100.0), source="simulated")
    played = replayed(tmp_path)
    for run in played.runs:
        assert (run.source == "simulated") == (run.strategy.variant != WITHOUT_MAP)
    assert any("rows of simulated: simulated rows are mixed" in n for n in played.notes)


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


def test_finer_bars_are_drilled_into_where_the_lake_holds_them(tmp_path):
    root = land_lake(tmp_path)
    quarters = [bar for bar in walk() for bar in quartered(bar)]
    land_bars(root, quarters, interval="15m", volume=VOLUME / 4)
    played = replayed(root, ENTRY)
    assert [run.replay.bound for run in played.own] == ["pessimistic", "optimistic", "drilled"]
    assert len(played.tapes[0].fine) == 4 * (HOURS - 6)


def test_of_several_coins_the_one_without_finer_bars_is_in_the_drilled_reading_too(tmp_path):
    root = land_lake(tmp_path)
    land_bars(root, [quarter for bar in walk() for quarter in quartered(bar)], interval="15m")
    land_bars(root, walk(seed=5), coin="ETH", volume=VOLUME)
    land_funding(root, [0.0] * (HOURS + 1), coin="ETH")
    both = replayed(root, FILTER, coins=("BTC", "ETH"))
    for base in (False, True):
        drilled = both.of("drilled", base=base)
        assert [run.coin for run in drilled] == ["BTC", "ETH"]
        assert [run.replay.bound for run in drilled] == ["drilled", "pessimistic"]
        assert drilled[1] is both.of("pessimistic", base=base)[1]


def quartered(bar):
    """Four bars that add up to one: to its low, to its high, and to its close."""
    open_px, high, low, close = bar
    legs = [(open_px, low), (low, high), (high, close), (close, close)]
    return [(a, max(a, b), min(a, b), b) for a, b in legs]


def test_coins_have_accounts_of_their_own(tmp_path):
    root = land_lake(tmp_path)
    land_bars(root, [bar[::1] for bar in walk(seed=5)], coin="ETH", volume=VOLUME)
    land_funding(root, [0.0] * (HOURS + 1), coin="ETH")
    both = replayed(root, ENTRY, coins=("BTC", "ETH"))
    alone = replayed(root, ENTRY, coins=("ETH",))
    assert [run.coin for run in both.of("pessimistic")] == ["BTC", "ETH"]
    assert both.of("pessimistic")[1].run_id == only(alone).run_id


def test_slippage_is_charged_unless_it_is_left_out(lake, studies, tmp_path):
    played = studies[TARGET.variant]
    for run in played.runs:
        assert (run.replay.trades["slippage"] > 0).all()
    free = replayed(lake, TARGET, terms=without("slippage"))
    assert all((run.replay.trades["slippage"] == 0).all() for run in free.runs)
    assert "BTC: slippage: none, as asked." in free.notes
    one, other = (only(one).figures() for one in (played, free))
    assert one["slippage"] > 0 == other["slippage"]
    land_bars(tmp_path, walk())
    land_funding(tmp_path, [0.0] * (HOURS + 1))
    with pytest.raises(SlippageUnknown, match="slippage of BTC is not known for the bar of"):
        replayed(tmp_path)


def test_recorded_books_change_what_market_orders_pay_and_nothing_else(tmp_path):
    """One level of a million coins, 1 % from the mid: every market order pays 1 %."""
    root = land_lake(tmp_path)
    for hour in range(6, HOURS):
        land_book(root, hour, [(99.0, 1e6)], [(101.0, 1e6)])
    other = replayed(root, ENTRY)
    assert any(
        "194 of 194 bars from recorded books (median age 0 min)" in n for n in other.notes
    )
    trades = trades_of(other)
    bars = only(other).bars
    opened = dict(zip(bars.start, bars.open_px, strict=True))
    for trade in trades:
        px = opened[bars.start[trade["entered"]]]
        assert trade["entry_px"] == pytest.approx(px * (1 + 0.01 * np.sign(trade["size"])))


def test_the_account_is_held_to_the_coins_leverage_and_tiers(studies, tmp_path):
    said = " ".join(studies[BOTH.variant].notes)
    assert "50 times equity; the coin's margin tiers are not known at the start" in said
    root = land_lake(tmp_path)
    land_instrument(root, 5, tiers=[(0.0, 2.0)])
    # Twice the equity is allowed; half of that is its maintenance, so a fall of 1/3 ends it.
    held = {"stop_pct": 90.0, "target_pct": 90.0, "max_bars": 200, "lookback": 6}
    for notional, trades in ((19_000.0, 1), (21_000.0, 0)):
        other = replayed(root, Breakout(notional=notional, **held))
        assert len(trades_of(other)) == trades
    assert any("2 times equity; the account is liquidated by the" in n for n in other.notes)


def test_funding_is_taken_on_the_oracle_price(lake, studies, tmp_path):
    root = land_lake(tmp_path)
    for hour in range(6, HOURS):
        land_context(root, hour, oracle=200.0)
    other = replayed(root, ENTRY)
    one, two = trades_of(studies[TARGET.variant], base=True), trades_of(other)
    assert np.abs(one["funding"]).sum() > 10
    # Prices wander around 100.
    np.testing.assert_allclose(two["funding"], 2 * one["funding"], rtol=0.2)


def test_flow_may_be_heard_live_while_maps_wait_for_their_archive(tmp_path):
    """Fills of an archive, published two hours late: known live, not as published."""
    root = land_lake(tmp_path)
    forced = [(minute, "long", 5e4) for minute in range(0, 60, 6)]
    for hour in range(HOURS):
        land_fills(root, hour, forced if hour % 40 == 39 else (), known=hour + 3)
    rule = CascadeFollow(min_score=0.0, min_notional=1.0, min_move_pct=0.01)
    late, live = (replayed(root, rule, live_flow=one) for one in (False, True))
    wanted = only(late).decisions
    assert (wanted.unmapped == (wanted.wanted != 0)).all()
    assert not only(live).decisions.unmapped.all()
    assert (only(live).decisions.side != 0).any()
    assert any("fills and contexts count as heard live" in note for note in live.notes)
    assert not any("fills and contexts count" in note for note in late.notes)
    assert any("--live-flow counts them" in note for note in late.notes)


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
