"""The verb `undertow backtest sweep`, as a user types it."""

import json
import shlex
from dataclasses import dataclass

import duckdb
import pytest
from click.testing import CliRunner

from backtest.cli import backtest
from backtest.decisions import Decisions
from backtest.strategies.strategy import Strategy
from tests.backtest.small_lake import land_lake
from warehouse import open_lake

PERIOD = ["--coin", "BTC", "--from", "2026-01-02T12:00Z", "--to", "2026-01-10"]


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    return str(land_lake(tmp_path_factory.mktemp("lake")))


@pytest.fixture(autouse=True)
def code(monkeypatch):
    """The code that runs, whoever edits it meanwhile."""
    monkeypatch.setattr("backtest.search.keep.code_hash", lambda: "as it is")


def sweep(lake, *words, **more):
    words = ["sweep", *PERIOD, "--lake", lake, *words]
    return CliRunner().invoke(backtest, words, catch_exceptions=False, **more)


def test_a_sweep_shows_its_best_and_what_survives_and_goes_on(lake):
    words = ("--set", "stop_pct=1,2,3", "--set", "lookback=4,8", "--best", "4")
    done = sweep(lake, *words)
    assert done.exit_code == 0
    assert "breakout.stop_pct" in done.stdout
    assert "6 trials." in done.stdout
    assert done.stdout.splitlines()[-1] == "Nothing survives."
    again = sweep(lake, *words, "--json")
    assert "goes on, 6 of 6 trials are in the lake" in again.stderr
    assert "6 of which were there already" in again.stderr
    rows = json.loads(again.stdout)
    assert [row["rank"] for row in rows] == [1, 2, 3, 4]
    assert [row["sharpe_year"] for row in rows] == sorted(
        (row["sharpe_year"] for row in rows), reverse=True
    )
    assert rows[0]["deflated"] is not None
    assert rows[1]["deflated"] is None
    # Nine days are too few for any of these, and a question that is not asked has no answer.
    for name in ("beats_nothing", "pbo", "forward_sure", "ways_median_year", "ways_lost"):
        assert rows[0][name] is None
    assert "overfitting is not known" in again.stderr
    assert "which settings beat doing nothing (StepM)" in again.stderr


def test_what_survives_is_asked_as_a_study_by_the_command_that_is_said(lake, monkeypatch):
    """As if all six tests were passed: the study is of the best setting, no new trial."""
    words = ("--strategy", "breakout+asymmetry_filter", "--set", "stop_pct=1.25,1.5")
    words = (*words, "--set", "lookback=4", "--no-funding", "--seed", "3")
    monkeypatch.setattr("backtest.search.told.failed", lambda left: [])
    last = sweep(lake, *words).stdout.splitlines()[-1]
    said, _, line = last.partition(" ask it as a study before believing it: ")
    assert said.startswith(
        "The best setting survives these six tests of a sweep, which knows no"
    )
    best = json.loads(sweep(lake, *words, "--best", "1", "--json").stdout)[0]
    assert f"--set breakout.stop_pct={best['breakout.stop_pct']} " in line
    with open_lake(lake) as con:
        before = con.sql("select distinct trial_id from backtest_trials").fetchall()
    program, group, *typed = shlex.split(line)
    assert (program, group) == ("undertow", "backtest")
    done = CliRunner().invoke(backtest, [*typed, "--draws", "0"], catch_exceptions=False)
    assert done.exit_code == 0
    with open_lake(lake) as con:
        after = con.sql("select distinct trial_id from backtest_trials").fetchall()
        ((asked,),) = con.sql("select question from backtest_studies").fetchall()
    rule = json.loads(asked)["strategy"]
    assert rule["entry"]["stop_pct"] == best["breakout.stop_pct"]
    # The rule without the map is the one that was not tried yet.
    assert len(after) == len(before) + 1


def test_settings_are_drawn_by_seed_and_months_are_told_apart(lake):
    words = (
        "--strategy",
        "breakout+asymmetry_filter",
        "--set",
        "stop_pct=1..4",
        "--random",
        "3",
    )
    words = (*words, "--set", "min_ratio=1,2", "--set", "lookback=4", "--by", "month", "--json")
    one, other = (json.loads(sweep(lake, *words, "--seed", seed).stdout) for seed in "12")
    assert len(one) == 3
    again = json.loads(sweep(lake, *words, "--seed", "1").stdout)
    drawn = [{row["breakout.stop_pct"] for row in rows} for rows in (one, other, again)]
    assert drawn[0] == drawn[2] != drawn[1]
    # What was tried in between counts against the best.
    assert again[0]["deflated"] != one[0]["deflated"]


def test_what_the_rule_refuses_is_left_out_and_said(lake):
    words = ("--strategy", "breakout+regime_stops", "--set", "symmetric_pct=1,3")
    done = sweep(lake, *words, "--set", "tilted_pct=1,2", "--set", "fragile_pct=1", "--json")
    assert "1 of 4 settings are left out" in done.stderr
    assert len(json.loads(done.stdout)) == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("--set", "stop=1"),
            "'stop' is no parameter of the rule; there are breakout.stop_pct",
        ),
        (("--set", "stop_pct="), "a value is missing"),
        (("--set", "stop_pct=1..3"), "random draws only"),
        (("--set", "stop_pct=1", "--strategy", "magic"), "strategy 'magic' is not known"),
        (("--set", "stop_pct=1", "--random", "0"), "1 setting or more"),
        (("--set", "stop_pct=1", "--random", "9" * 14, "--yes"), "20,000,000 at most"),
        (("--set", "stop_pct=1..inf", "--random", "2"), "a range is LOW..HIGH, two numbers"),
        (("--set", "notional=-1e308..1e308", "--random", "2"), "a range is LOW..HIGH"),
        (("--set", "lookback=12,9999999999"), "must be a whole number between"),
        (("--set", "max_bars=1.." + "9" * 20, "--random", "2"), "a whole number between"),
        (("--set", "stop_pct=1", "--seed", "-1"), "seed -1 must be 0 or more"),
        (("--set", "stop_pct=1..3", "--random", "1000001"), "1,000,001 settings are more than"),
        (("--set", "stop_pct=1", "--best", "0"), "--best 0 must be 1"),
        (("--set", "stop_pct=1", "--workers", "0"), "--workers 0 must be 1"),
        (
            ("--set", "stop_pct=1", "--runner", "dask"),
            "--runner dask needs the command undertow",
        ),
        (("--set", "stop_pct=1", "--coin", "DOGE"), "DOGE"),
    ],
)
def test_what_makes_no_sweep_is_refused_in_a_line(lake, words, said):
    refused = (ValueError, LookupError, duckdb.InvalidInputException)
    with pytest.raises(refused, match=said) as raised:
        sweep(lake, *words)
    assert "\n" not in str(raised.value)


def test_a_million_settings_are_asked_for_twice(lake, monkeypatch):
    monkeypatch.setattr("backtest.search.space.MOST", 2)
    words = ("--set", "stop_pct=1,2,3")
    with pytest.raises(ValueError, match="3 settings are more than 2"):
        sweep(lake, *words)
    assert sweep(lake, *words, "--yes").exit_code == 0


def test_the_front_door_gives_the_runner(lake):
    asked = []

    def runners(runner, workers):
        asked.append((runner, workers))
        return lambda function, items: map(function, items)

    done = sweep(lake, "--set", "stop_pct=1.5", "--runner", "dask:tcp://there:1", obj=runners)
    assert (done.exit_code, asked) == (0, [("dask:tcp://there:1", None)])


@dataclass(frozen=True, kw_only=True)
class Dips(Strategy):
    """A rule of a user's own."""

    fall_pct: float = 1.0

    def decide(self, view):
        fell = view.close_px < view.open_px * (1 - self.fall_pct / 100)
        return Decisions.of(fell, stop_fraction=0.02, max_bars=24, notional=1_000.0)


def test_a_rule_of_ones_own_is_tried(lake):
    words = ("--strategy", "tests.backtest.test_sweep_cli:Dips", "--set", "fall_pct=0.5,1,1.5")
    rows = json.loads(sweep(lake, *words, "--json").stdout)
    (name,) = (name for name in rows[0] if name.endswith(".fall_pct"))
    assert {row[name] for row in rows} == {0.5, 1.0, 1.5}
    assert sum(row["trades"] for row in rows) > 5
