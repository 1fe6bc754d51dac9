"""The report says what the lake holds, in words that can be checked by hand."""

import os
import stat

import pytest

from tests.backtest.small_lake import land_funding
from tests.reference.report_lake import HOUR, NOON, fill_lake
from tests.reference.words_of_page import read
from warehouse.catalog import NoLake
from warehouse.contracts.tables import BACKTEST_RUNS, BACKTEST_TRADES
from warehouse.report import write_report
from warehouse.report.theme import DASHES, ENTRY, EXIT

HOSTILE = '<script>alert("x")</script>&'


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    return write_report(fill_lake(folder / "lake"), folder / "out" / "r.html", ["BTC"])


@pytest.fixture(scope="module")
def page(written):
    return read(written)


def test_the_scenarios_are_the_sums_by_hand(page):
    # −5 % reaches 96 x 10; −10 % also 91 x 5; +10 % reaches 108 x 4; +15 % also 114 x 3.
    for move, target, notional, count in (
        ("−5 %", "95.000", "$960", "1 long"),
        ("−10 %", "90.000", "$1.42K", "2 longs"),
        ("+10 %", "110.00", "$432", "1 short"),
        ("+15 %", "115.00", "$774", "2 shorts"),
    ):
        assert f"{move} {target} {notional} {count}" in page.text


def test_the_regime_is_the_ratio_by_hand(page):
    assert "symmetric · 1.8×" in page.text  # (960 + 455) / (432 + 342)
    assert "1.83× larger over smaller side" in page.text
    assert "This rests on 4 positions only." in page.text


def test_the_share_of_the_venue_is_said(page):
    # Longs at mark: 18 coins x 100 of 7,200; shorts 7 x 100.
    assert "saw 25 % of longs and 9.7 % of shorts on the venue" in page.text
    assert "a sample of the venue" in page.text


def test_what_lies_outside_the_drawing_is_said(page):
    assert "Outside it: $80.00 of longs (1 position)." in page.text
    assert "1 position without a liquidation price are on no map" in page.text


def test_gaps_are_said(page):
    assert "2 bars missing: 2 Jan 13:00, 2 Jan 14:00." in page.text
    assert "By their source’s word each could be known 2 h later." in page.text
    assert "1 have none and none could be computed" in page.text
    assert "No day is without a snapshot." in page.text


def test_a_day_without_a_snapshot_is_named(tmp_path):
    lake = fill_lake(tmp_path / "lake")
    to = write_report(lake, tmp_path / "r.html", ["BTC"], since=NOON - 60 * HOUR)
    assert "Days without a snapshot: 31 Dec and 1 Jan." in read(to).text


def test_the_words_are_honest_about_few_trades(page):
    assert "None closed 30 trades" in page.text
    assert "too few trades to tell from luck" in page.text
    assert "3 signals, 2 refused by the map" in page.text


def test_a_study_says_its_conclusion_and_how_its_own_page_is_drawn(page):
    asked = "breakout asymmetry filter, BTC, 2 Jan 2026 to 2 Jan 2026"
    concluded = "No edge is shown: it stood 1 of 2 tests. undertow report 5eed"
    assert f"{asked} {concluded}" in page.text


@pytest.mark.parametrize(
    ("table", "column", "marks"),
    [
        (BACKTEST_TRADES, "exit_reason", EXIT),
        (BACKTEST_TRADES, "side", ENTRY),
        (BACKTEST_RUNS, "bound", DASHES),
    ],
)
def test_whatever_the_tables_allow_has_a_mark_or_a_line(table, column, marks):
    (rule,) = next(one.rules for one in table.columns if one.name == column)
    assert rule.says == f"must be one of {', '.join(sorted(marks, key=rule.says.index))}"


def test_realised_liquidations_are_counted_once(page):
    assert "in all $291 of longs (▼) and $0 of shorts (▲)" in page.text


def test_every_figure_holds_marks(page):
    kinds = [{trace["type"] for trace in figure["data"]} for figure in page.figures]
    assert kinds == [{"bar", "scatter"}, {"heatmap", "scatter"}, {"scatter"}]


def test_the_heatmap_holds_the_sums_of_its_snapshots(page):
    heat = next(trace for trace in page.figures[1]["data"] if trace["type"] == "heatmap")
    cells = [[value for value in row if value is not None] for row in heat["z"]]
    drawn = sorted(10**value for row in cells for value in row)
    # 96 x 10, 91 x 5 and 108 x 4 at three snapshots, 114 x 3 at the newest; 40 is not drawn.
    assert drawn == pytest.approx([342, *[432] * 3, *[455] * 3, *[960] * 3], rel=0.02)


def test_nothing_is_loaded_from_anywhere(written, page):
    assert all(load.startswith(("#", "data:")) for load in page.loads)
    assert not {"iframe", "img", "object", "embed"} & set(page.tags)
    style = written.read_text(encoding="utf-8").split("<style>")[1].split("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style


def test_a_moment_is_answered_by_what_was_there(tmp_path):
    lake = fill_lake(tmp_path / "lake")
    to = write_report(lake, tmp_path / "r.html", ["BTC"], at=NOON - HOUR)
    assert "snapshot of 2 Jan 2026 10:00 UTC" in read(to).text
    assert "1 h older" in read(to).text
    assert "+15 % 115.00 $432 1 short" in read(to).text


def test_an_unknown_open_interest_is_unknown_and_not_zero(tmp_path):
    lake = fill_lake(tmp_path / "lake", contexts=False)
    text = read(write_report(lake, tmp_path / "r.html", ["BTC"])).text
    assert "share of the venue’s open interest seen: unknown" in text
    assert "saw 0" not in text


def test_a_moment_before_the_first_snapshot_says_so(tmp_path):
    lake = fill_lake(tmp_path / "lake")
    to = write_report(lake, tmp_path / "r.html", ["BTC"], at=NOON - 30 * HOUR)
    assert "No trusted, complete snapshot of these coins lies at or before" in read(to).text


def test_an_empty_lake_says_that_it_is_empty(tmp_path):
    page = read(write_report(tmp_path, tmp_path / "r.html", ["BTC", "ETH"]))
    assert "This lake is empty: there is nothing to report yet." in page.text
    assert page.figures == []


def test_a_coin_without_positions_is_said_beside_the_others(tmp_path):
    lake = fill_lake(tmp_path / "lake", backtests=False)
    land_funding(lake, [0.0], coin="NONE")  # so that it is known
    text = read(write_report(lake, tmp_path / "r.html", ["BTC", "NONE"])).text
    assert "The snapshot holds no position in NONE, and no price of it is known." in text
    assert "The lake holds no backtest of these coins" in text


def test_simulated_rows_are_called_simulated(tmp_path, page):
    lake = fill_lake(tmp_path / "lake", source="simulated")
    text = read(write_report(lake, tmp_path / "r.html", ["BTC"])).text
    assert text.count("SIMULATED") >= 3
    assert "say nothing about any market" in text
    assert "SIMULATED" not in page.text


def test_hostile_names_stay_words(tmp_path):
    lake = fill_lake(tmp_path / "lake", coin=HOSTILE)
    to = write_report(lake, tmp_path / "r.html", [HOSTILE], title=HOSTILE)
    html, page = to.read_text(encoding="utf-8"), read(to)
    assert "<script>alert" not in html
    assert HOSTILE in page.text
    assert page.tags.count("script") == 2 + len(page.figures)


def test_a_failed_report_leaves_the_old_one(written, tmp_path, monkeypatch):
    to = tmp_path / "r.html"
    to.write_text("old")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        write_report(fill_lake(tmp_path / "lake"), to, ["BTC"])
    assert to.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lake", "r.html"]


def test_the_lake_is_only_read(tmp_path):
    lake = fill_lake(tmp_path / "lake")
    for path in [lake, *lake.rglob("*")]:
        path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    before = {path: path.stat().st_mtime_ns for path in lake.rglob("*")}
    write_report(lake, tmp_path / "r.html", ["BTC"])
    assert {path: path.stat().st_mtime_ns for path in lake.rglob("*")} == before
    for path in lake.rglob("*"):
        path.chmod(path.stat().st_mode | stat.S_IWUSR)


def test_the_same_lake_gives_the_same_bytes(written, tmp_path):
    again = write_report(written.parents[1] / "lake", tmp_path / "r.html", ["BTC"])
    assert again.read_bytes() == written.read_bytes()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"coins": []}, "at least one coin"),
        ({"coins": ["BTC", "BTC"]}, "names BTC more than once"),
        ({"coins": ["BTC"], "since": NOON, "until": NOON}, "is not before until"),
    ],
)
def test_what_cannot_be_asked_is_refused(tmp_path, asked, said):
    with pytest.raises(ValueError, match=said):
        write_report(tmp_path, tmp_path / "r.html", **asked)


def test_a_lake_that_is_not_there_is_said(tmp_path):
    with pytest.raises(NoLake, match="no lake at"):
        write_report(tmp_path / "nowhere", tmp_path / "r.html", ["BTC"])
