"""The page of a study says what the lake holds of it, and says what is missing in words."""

import hashlib
import os
import re
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from backtest.answer import answer, land_answers
from backtest.question import Question
from backtest.report import write_backtest_report
from backtest.report.curves import pooled, thinned
from backtest.strategies.catalogue import made
from backtest.trials import terms_said
from tests.backtest.small_lake import land_lake
from tests.backtest.study_lake import (
    QUESTION,
    STUDY,
    Against,
    fill,
    findings,
    nothing_traded,
    run,
    swept,
)
from tests.reference.words_of_page import read
from warehouse.catalog import NoLake

HOSTILE = '<img src=x onerror="alert(1)">&'


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    return fill(tmp_path_factory.mktemp("lake"))


@pytest.fixture(scope="module")
def page(lake, tmp_path_factory):
    return read(write_backtest_report(lake, STUDY, tmp_path_factory.mktemp("page") / "r.html"))


def drawn(lake, tmp_path, name=STUDY):
    return read(write_backtest_report(lake, name, tmp_path / "r.html"))


def figure(page, name):
    (found,) = (one for label, one in page.named if name in label)
    return found


def traces(page, label, **wanted):
    return [
        one
        for one in figure(page, label)["data"]
        if all(one.get(key) == value for key, value in wanted.items())
    ]


def test_the_verdict_comes_first(page):
    said = page.text
    order = [
        "Breakout with cluster take profit on BTC and ETH",
        "No edge is shown: of 9 tests it failed 6, and 1",
        "Tested: breakout (cluster_take_profit) on BTC, ETH",
        "It is one of 7 trials",
        "Placebo shuffled makes no attempt",
        "Passed: 2 of 9",
        "Failed: 6 of 9",
        "Cannot be told: 1 of 9 whether it is better than placebo mirrored",
        "Equity and drawdown",
    ]
    places = [said.index(one) for one in order]
    assert places == sorted(places)


def test_what_was_left_out_of_the_costs_is_said_first(tmp_path):
    made = findings()
    subject = replace(made.subject, left_out=("slippage",), venues=("binance",))
    page = drawn(fill(tmp_path / "lake", replace(made, subject=subject)), tmp_path)
    for said in (
        "recorded rows, prices of binance, without slippage: 4 attempts",
        "Costs without slippage",
        "left out: slippage",
        "Without slippage, as a share of notional.",
    ):
        assert said in page.text, said
    assert "After all costs" not in page.text


def test_equity_is_pooled_with_the_hour_that_one_coin_misses(page):
    (low,) = traces(page, "Equity", name="with it, pessimistic", yaxis="y")
    (high,) = traces(page, "Equity", name="with it, optimistic", yaxis="y")
    (base,) = traces(page, "Equity", name="without the map", yaxis="y")
    # 20,000 USD in both accounts: -200, then +300 or +400.
    assert [low["y"][hour] for hour in (9, 10, 19, 20, 47)] == [0, -1, -1, 1.5, 1.5]
    assert high["y"][-1] == 2.0
    assert set(base["y"]) == {0}
    (fall,) = traces(page, "Equity", name="with it, pessimistic", yaxis="y2")
    assert min(fall["y"]) == -1
    assert fall["y"][-1] == 0
    assert "ends at +1.50 %, at worst 1.00 % below its peak. Read optimistically: +2.00 %" in (
        page.text
    )
    assert "The same rule without the map: 0.00 %, 0.00 % below its peak at worst" in page.text


def test_trades_stand_on_the_price_with_the_clusters_they_aimed_at(page):
    (aimed,) = traces(page, "on BTC", name="cluster aimed at")
    assert aimed["y"] == [103.5, 103.5, None, 94.5, 94.5, None]
    assert (
        "2 trades, pessimistic reading. Targets set by a cluster of the map: 2; fixed"
        in page.text
    )
    entries = [one for one in traces(page, "on ETH", mode="markers") if one.get("hovertext")]
    assert "long at <b>100.00</b>" in entries[0]["hovertext"][0]
    assert "target at <b>95.000</b><br>+5.00\xa0% after costs" in entries[1]["hovertext"][1]


def test_excursions_are_signed_by_the_side(page):
    (won,) = traces(page, "best price", name="gained after costs (2)")
    (lost,) = traces(page, "best price", name="lost (2)")
    # The short: best 94 is +6 %, worst 101.5 is -1.5 %.  The long: +1 % and -3 %.
    assert (won["x"], won["y"]) == ([6, 6], [-1.5, -1.5])
    assert (lost["x"], lost["y"]) == ([1, 1], [-3, -3])


def test_the_strategy_stands_on_the_placebos(page):
    box = traces(page, "placebos", type="box")[0]
    assert box["x"] == [-0.4, 0.1, 0.6]
    (line,) = figure(page, "placebos")["layout"]["shapes"]
    assert line["x0"] == line["x1"] == 0.25
    assert "random times its entries, moved to times drawn by lot 3 +0.100 %" in page.text
    assert "shuffled maps of other moments, moved to the price, drawn by lot 0" in page.text


def test_costs_add_up_and_a_payment_received_is_above_0(page):
    for line in (
        "Gross, before costs $120 +40.00",
        "Fees −$18.00 −6.00",
        "Funding $3.00 +1.00",
        "Slippage −$30.00 −10.00",
        "Margin lost in liquidations $0 0",
        "Net $75.00 +25.00",
    ):
        assert line in page.text


def test_everything_else_is_said(page):
    for line in (
        "pessimistic: the stop first 4 3 2 33 % +0.250 % −4.800 % to +5.300 % 0.640",
        "+0.250 % (4 attempts) −0.100 % (6 attempts) +0.350 %",
        "2026-01 2 4 3 +0.250 % +0.75 %",
        "without the best 1 % 3 −0.100 % 120 %",
        "without the ten best days 0 none remain",
        "from 2026-01-03 on 2 −0.500 %",
        "Nothing is left at some $30.0K an entry.",
        "Costs all charged Maps as published then Flow as heard live",
        "6 cascades, whatever the rule did: 5 events where those whose bars overlap are one",
        "in 5 stretches of time, as good as 5.0 of equal weight; the band is",
        "candles: 1 incident in the period; 2 trades of the rule were open in one.",
        "3 snapshots of the period were not trusted",
        "BTC: 5 signals, 2 refused by the map, 1 where no map or flow was known, 1 not filled",
        "the map was 3 h old in the median, 3 h at most",
        "a decision travels 0.5 s",
        "Slippage of ETH: 48 of 48 bars by a recorded book.",
        "by the spread of the trials, which decides nothing 0.470",
        "deflated: chance that it is above that luck 0.420",
        "minimum track record: length at which it alone is sure 182 days",
        "breakout: lookback=24, stop_pct=2.",
        f"undertow backtest prove {STUDY} undertow backtest reproduce {STUDY}",
        "The code that draws this page is not the code that ran.",
    ):
        assert line in page.text, line


def test_notes_and_assumptions_are_those_of_the_run_and_not_of_todays_code(page, tmp_path):
    assert "Rows that were read BTC: slippage: a hand wrote it." in page.text
    assert "Assumptions A hand wrote this. And this." in page.text
    old = drawn(fill(tmp_path / "lake", notes="", assumptions=None), tmp_path)
    assert "Rows that were read Nothing is missing, and nothing was chosen." in old.text
    assert "Assumptions Not known: the study was written before this was kept" in old.text


def ran(tmp_path, monkeypatch, hashed, name="rule_of_ones_own"):
    """Draw a study of today's package whose rule's file had a certain hash."""
    monkeypatch.syspath_prepend(tmp_path)
    question = {"code": {name: hashed}}
    with monkeypatch.context() as patch:
        patch.setattr("backtest.report.same_code.code_hash", lambda: "c0" * 32)
        lake = fill(tmp_path / "lake", asked=question)
        return drawn(lake, tmp_path).text


def test_the_code_of_a_rule_of_ones_own_is_compared_too(tmp_path, monkeypatch):
    file = tmp_path / "rule_of_ones_own.py"
    file.write_text("raise SystemExit('a page runs nothing of it')")
    mine = hashlib.sha256(file.read_bytes()).hexdigest()
    same = "The code that draws this page and the rule’s own file is the code that ran."
    assert same in ran(tmp_path, monkeypatch, mine)
    file.write_text("another")
    other = "The code that draws this page and the rule’s own file is not the code that ran."
    assert other in ran(tmp_path, monkeypatch, mine)
    for hashed, name in ((mine, "gone_since"), (None, "a_session"), (mine, "__main__")):
        said = ran(tmp_path, monkeypatch, hashed, name)
        assert f"cannot be told: its file is not here ({name})" in said


def test_the_band_is_closed_where_all_paths_begin(page):
    band, mean = figure(page, "cascades")["data"]
    assert mean["y"] == [0.1, 0.0, 0.4, 0.3, 0.2]
    assert band["x"] == [-2, -1, 0, 1, 2, 2, 1, 0, -1, -2]
    assert band["y"][1] == band["y"][-2] == 0


def test_of_few_stretches_there_is_a_mean_and_no_band(tmp_path):
    few = findings().cascades
    none = (None,) * len(few.offset)
    few = replace(few, stretches=6, effective=4.9, low=none, high=none)
    page = drawn(fill(tmp_path / "lake", findings(cascades=few)), tmp_path)
    assert "as good as 4.9 of equal weight; of fewer than 5 no" in page.text
    (mean,) = figure(page, "cascades")["data"]
    assert mean["y"] == [0.1, 0.0, 0.4, 0.3, 0.2]


def test_without_a_sweep_it_is_said_how_to_make_one(page):
    assert "No parameters were swept on these coins in this period" in page.text
    assert "undertow backtest sweep" in page.text


def test_nothing_is_loaded_from_anywhere(page):
    assert [one for one in page.loads if not one.startswith(("#", "data:"))] == []


def test_a_study_that_never_traded_says_so_and_draws_nothing_empty(tmp_path):
    page = drawn(fill(tmp_path / "lake", nothing_traded()), tmp_path)
    for said in (
        "Nothing can be said: it made no attempt, for at none of its 5 signals a map",
        "No trade was made on BTC.",
        "No trade was made, so nothing was earned or charged.",
        "Not known: nothing was traded.",
        "The rule knows neither map nor flow",
        "No placebo was drawn",
        "2 cascades with all bars around them in this period: fewer than 5",
        "no length will do: it is not above 0",
        "Not known: no lake was asked",
    ):
        assert said in page.text, said
    assert [label for label, _ in page.named] == [
        "Equity and drawdown of breakout with cluster take profit"
    ]
    assert not re.search(r"\b(nan|null)\b|None", page.text)


def test_slippage_left_out_and_a_lake_not_asked_are_told_from_nothing(tmp_path):
    found = findings(capacity=None, cascades=None)
    page = drawn(fill(tmp_path / "lake", found), tmp_path)
    assert "slippage was left out, so size costs nothing here" in page.text
    assert "No lake was asked for cascades" in page.text


def test_simulated_rows_are_called_simulated(tmp_path, page):
    assert "SIMULATED" not in page.text
    told = drawn(fill(tmp_path / "lake", source="simulated"), tmp_path)
    assert "SIMULATED Rows that this study read were generated" in told.text


def test_hostile_names_stay_words(tmp_path):
    found = findings()
    found = replace(found, placebos=(Against(HOSTILE, 1, 0.0, None, None), *found.placebos))
    lake = fill(tmp_path / "lake", found, strategy=HOSTILE, variant=HOSTILE, verdict=HOSTILE)
    page = drawn(lake, tmp_path)
    assert "img" not in page.tags
    assert HOSTILE in page.text
    axis = figure(page, "placebos")["layout"]["yaxis"]["ticktext"]
    assert not any("<img" in one for one in axis)


def test_a_run_names_its_study(lake, tmp_path, page):
    assert drawn(lake, tmp_path, run("BTC", "own")[:4]).text == page.text


def test_the_same_lake_gives_the_same_bytes(lake, tmp_path):
    one = write_backtest_report(lake, STUDY, tmp_path / "a.html").read_bytes()
    assert write_backtest_report(str(lake), STUDY, tmp_path / "b.html").read_bytes() == one


def test_a_failed_report_leaves_the_old_one(lake, tmp_path, monkeypatch):
    (tmp_path / "r.html").write_text("old")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        write_backtest_report(lake, STUDY, tmp_path / "r.html")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"findings": "{}"}, "its findings are of another form"),
        ({"findings": "no json"}, "its findings are of another form"),
        ({"runs": '{"own": ["e100"], "base": []}'}, "run e100 is not in the lake"),
    ],
)
def test_half_a_study_is_refused_in_one_line(tmp_path, changed, said):
    lake = fill(tmp_path / "lake", **changed)
    with pytest.raises(ValueError, match=said) as error:
        write_backtest_report(lake, STUDY, tmp_path / "r.html")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "r.html").exists()


def test_a_study_or_a_lake_that_is_not_there_is_said(lake, tmp_path):
    with pytest.raises(LookupError, match="no study or run is named ff"):
        write_backtest_report(lake, "ff", tmp_path / "r.html")
    with pytest.raises(NoLake):
        write_backtest_report(tmp_path / "none", STUDY, tmp_path / "r.html")


GRID = [(look, stop) for look in (12, 24, 48) for stop in (1.0, 2.0)]


def test_a_sweep_is_drawn_over_the_two_parameters_that_vary_most(tmp_path):
    page = drawn(fill(tmp_path / "lake", trials=list(swept(GRID))), tmp_path)
    assert "6 settings over 40 days, sweep 5eeb" in page.text
    (cells,) = figure(page, "by parameters")["data"]
    layout = figure(page, "by parameters")["layout"]
    assert layout["xaxis"]["ticktext"] == ["12", "24", "48"]
    assert layout["xaxis"]["title"]["text"] == "breakout.lookback"
    # The mean of setting n is n / 10 of its spread of 0.01, sample deviation of 40 days.
    spread = np.tile([0.01, -0.01], 20).std(ddof=1)
    assert np.allclose(cells["z"], 0.001 * np.array([[0, 2, 4], [1, 3, 5]]) / spread)
    # The study's own: lookback 24, stop 2 %.
    (ring,) = layout["shapes"]
    assert (ring["x0"], ring["y0"]) == (0.5, 0.5)
    # The best is the best of every half: never overfit.
    assert "Probability of backtest overfitting (PBO): 0 %." in page.text


def test_one_parameter_is_a_line_and_one_coin_alone_is_no_setting(tmp_path):
    trials = list(swept([(12, 2.0), (24, 2.0), (48, 2.0)]))
    page = drawn(fill(tmp_path / "lake", trials=trials[:-1]), tmp_path)
    line, ring = figure(page, "by parameters")["data"]
    assert line["x"] == [12, 24]
    assert ring["x"] == [24]


@pytest.mark.parametrize(
    "changed",
    [
        {"terms": {**QUESTION["terms"], "leverage": 3.0}},
        {"knowable": False},
        {"live_flow": False},
        {"venue": "binance"},
    ],
)
def test_settings_tried_under_other_terms_are_none_of_the_study(tmp_path, changed):
    """Twice as many, and none of them is drawn."""
    trials = list(swept([(12, 2.0), (24, 2.0), (48, 2.0)]))
    other = terms_said(QUESTION | changed, blind=False, shared=False)
    settings = [(bars, 2.0) for bars in range(50, 56)]
    more = [
        row | {"trial_id": f"{number:016x}"}
        for number, row in enumerate(swept(settings, terms=other), start=900)
    ]
    page = drawn(fill(tmp_path / "lake", trials=[*trials, *more]), tmp_path)
    line, _ = figure(page, "by parameters")["data"]
    assert line["x"] == [12, 24, 48]
    alone = drawn(fill(tmp_path / "other", trials=more), tmp_path)
    assert (
        "The lake holds 12 trials of this rule on other coins, periods or terms" in alone.text
    )


def test_one_account_is_drawn_of_trials_in_one_account(tmp_path):
    """Each coin in an account of its own earned something else."""
    alone = list(swept([(12, 2.0), (24, 2.0), (48, 2.0)]))
    together = [
        row | {"coins": "ETH,BTC", "trial_id": f"{900 + number:016x}"}
        for number, row in enumerate(
            swept(
                [(60, 2.0), (24, 2.0)],
                terms=terms_said(QUESTION | {"account": "one"}, blind=False, shared=True),
            )
        )
        if row["coins"] == "BTC"
    ]
    rows = [*alone, *together]
    joint = drawn(fill(tmp_path / "one", asked={"account": "one"}, trials=rows), tmp_path)
    assert figure(joint, "by parameters")["data"][0]["x"] == [24, 60]
    each = drawn(fill(tmp_path / "each", trials=rows), tmp_path)
    assert figure(each, "by parameters")["data"][0]["x"] == [12, 24, 48]


def test_many_trades_are_thinned_and_the_page_says_so(lake, tmp_path, monkeypatch):
    monkeypatch.setattr("backtest.report.trades.MOST_TRADES", 1)
    monkeypatch.setattr("backtest.report.excursions.MOST_TRADES", 3)
    page = drawn(lake, tmp_path)
    # The short gained 5 %, the long lost 2 %.
    (aimed,) = traces(page, "on BTC", name="cluster aimed at")
    assert aimed["y"] == [94.5, 94.5, None]
    assert (
        "2 trades, pessimistic reading; drawn are the 1 that gained or lost most" in page.text
    )
    assert "Of 4 trades one in 2 is drawn." in page.text


def test_a_curve_is_thinned_to_its_ends_and_its_deepest_falls():
    rows = pl.DataFrame(
        {"gain": [0.0, 5.0, 1.0, 2.0, 3.0], "fall": [0.0, 0.0, -4.0, -3.0, -2.0]}
    )
    thin = thinned(rows, 2)
    assert thin["gain"].to_list() == [5.0, 3.0]
    assert thin["fall"].to_list() == [0.0, -4.0]
    assert thinned(rows, 5).equals(rows)


def test_an_account_that_loses_at_once_fell_from_its_start():
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    rows = pl.DataFrame({"coin": ["BTC"], "time_ts": [moment], "equity": [9_000.0]})
    curve = pooled(rows, 10_000.0)
    assert (curve.gain, curve.fall) == ([-10.0], [-10.0])
    assert pooled(rows.clear(), 10_000.0) is None


@pytest.mark.slow
def test_a_study_that_was_answered_is_drawn_with_all_it_found(tmp_path):
    lake = land_lake(tmp_path / "lake")
    question = Question(
        strategy=made("breakout+cluster_take_profit", {}),
        coins=("BTC",),
        since=datetime(2026, 1, 3, tzinfo=UTC),
        until=datetime(2026, 1, 10, tzinfo=UTC),
        draws=3,
    )
    (one,) = answer(lake, [question])
    land_answers(lake, [one])
    page = drawn(lake, tmp_path, one.study_id)
    assert one.verdict[2] in page.text
    assert "The code that draws this page is the code that ran." in page.text
    names = [label for label, _ in page.named]
    for figure_of in ("Equity", "on BTC", "best price", "placebos", "by size of order"):
        assert any(figure_of in name for name in names), figure_of
    assert len(traces(page, "on BTC", name="cluster aimed at")) == 1
