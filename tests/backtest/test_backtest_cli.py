import json
import subprocess
import sys

import duckdb
import pytest
from click.testing import CliRunner

from backtest.cli import backtest
from backtest.cli.question import as_coins, as_moment
from tests.backtest.small_lake import land_lake

PERIOD = ["--from", "2026-01-03", "--to", "2026-01-10"]


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    return land_lake(tmp_path_factory.mktemp("lake"))


def run(lake, *words):
    few = [] if "--draws" in words else ["--draws", "3"]
    named = [*words, *few, "--lake", str(lake)]
    return CliRunner().invoke(backtest, named, catch_exceptions=False)


def test_a_table_and_a_verdict(lake):
    done = run(lake, "--coin", "BTC", *PERIOD)
    assert done.exit_code == 0
    for word in ("without map", "asymmetry_filter", "cluster_take_profit", "mean trade %"):
        assert word in done.stdout
    assert done.stdout.count("Tested: breakout") == done.stdout.count("undertow report") == 3
    assert "Assumed: A decision made at the close" in done.stderr


def test_json_holds_the_runs_rows_and_nothing_else(lake):
    done = run(lake, "--coin", "BTC", *PERIOD, "--json")
    rows = json.loads(done.stdout)
    assert len(rows) == 8
    assert rows[0]["variant"] == "without map"
    assert rows[0]["start_ts"] == "2026-01-03T00:00:00Z"
    assert rows[0]["end_ts"] == "2026-01-10T00:00:00Z"
    assert rows[0]["knowable"] is True
    assert isinstance(rows[0]["trades"], int)
    live = json.loads(run(lake, "--coin", "BTC", *PERIOD, "--json", "--as-if-live").stdout)
    assert live[0]["knowable"] is False


def test_a_strategy_and_its_parameters_are_named(lake):
    words = ["--strategy", "breakout+regime_stops", "--set", "lookback=6"]
    words += ["--set", "regime_stops.fragile_pct=0.5", "--draws", "3"]
    told = json.loads(run(lake, "--coin", "BTC", *PERIOD, "--json", *words).stdout)
    assert {row["variant"] for row in told} == {"without map", "regime_stops"}
    said = [json.loads(row["parameters"]) for row in told if row["variant"] == "regime_stops"]
    assert said[0]["fragile_pct"] == 0.5
    assert said[0]["entry"]["lookback"] == 6


def test_a_class_of_ones_own_is_named_with_its_module(lake, tmp_path, monkeypatch):
    (tmp_path / "own_rules.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    words = ["--strategy", "own_rules:BuyTheDip", "--set", "own_rules:BuyTheDip.fall=0.005"]
    told = json.loads(run(lake, "--coin", "BTC", *PERIOD, "--json", *words).stdout)
    # What it looks at only the rule itself could say.
    assert {row["variant"] for row in told} == {"own_rules:BuyTheDip"}
    assert told[0]["trades"] > 0
    assert json.loads(told[0]["parameters"])["fall"] == 0.005


OWN = """
from dataclasses import dataclass

from backtest.decisions import Decisions
from backtest.strategies.strategy import Strategy


@dataclass(frozen=True, kw_only=True)
class BuyTheDip(Strategy):
    fall: float = 0.03

    def decide(self, view):
        fell = view.close_px < view.open_px * (1 - self.fall)
        return Decisions.of(fell, stop_fraction=0.02, max_bars=24, notional=10_000.0)
"""


def test_every_strategy_is_listed():
    done = CliRunner().invoke(backtest, ["strategies", "--json"], catch_exceptions=False)
    told = {row["strategy"]: row for row in json.loads(done.stdout)}
    assert {"breakout", "asymmetry_filter", "cascade_follow", "sized"} <= told.keys()
    assert "min_ratio=1.0" in told["asymmetry_filter"]["parameters"]


def test_the_environment_may_name_the_lake(lake, monkeypatch):
    monkeypatch.setenv("UNDERTOW_LAKE", str(lake))
    done = CliRunner().invoke(backtest, ["--coin", "BTC", *PERIOD, "--no-funding", "--json"])
    assert {json.loads(row["costs"])["funding"] for row in json.loads(done.stdout)} == {"none"}


def test_costs_are_set_by_name(lake):
    words = ["--no-slippage", "--taker-bps", "2.4", "--maker-bps", "-0.3"]
    (costs,) = {
        row["costs"]
        for row in json.loads(run(lake, "--coin", "BTC", *PERIOD, "--json", *words).stdout)
    }
    assert json.loads(costs) == {
        "funding": "charged",
        "maker_fee": -0.00003,
        "slippage": "none",
        "slippage_basis": "none, as asked",
        "taker_fee": 0.00024,
    }


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        (["--coin", "BTC", "--from", "yesterday", "--to", "2026-01-05"], ValueError, "--from"),
        (
            ["--coin", "BTC", "--from", "2026-01-05", "--to", "2026-01-05"],
            ValueError,
            "must end",
        ),
        (["--coin", "BTX", *PERIOD], duckdb.Error, "near it: BTC"),
        (["--coin", "BTC", *PERIOD, "--venue", "okx"], LookupError, "okx BTC"),
        (["--coin", " , ", *PERIOD], ValueError, "--coin"),
        (["--coin", "BTC", *PERIOD, "--taker-bps", "4500"], ValueError, "taker_fee 0.45"),
        (["--coin", "BTC", *PERIOD, "--latency", "2"], ValueError, "--latency '2'"),
        (["--coin", "BTC", *PERIOD, "--limit-fill", "through:x"], ValueError, "is no number"),
        (["--coin", "BTC", *PERIOD, "--limit-fill", "magic"], ValueError, "--limit-fill"),
        (["--coin", "BTC", *PERIOD, "--leverage", "0"], ValueError, "leverage 0.0"),
        (["--coin", "BTC", *PERIOD, "--interval", "7h"], ValueError, "interval '7h'"),
        (["--coin", "BTC", *PERIOD, "--set", "stop_pct"], ValueError, "NAME=VALUE"),
        (["--coin", "BTC", *PERIOD, "--set", "lookback=x"], ValueError, "whole number"),
        (["--coin", "BTC", *PERIOD, "--set", "sized.by=risk"], ValueError, "sized.by"),
        (["--coin", "BTC", *PERIOD, "--strategy", "magic"], ValueError, "'magic' is not known"),
        (["--coin", "BTC", *PERIOD, "--draws", "-1"], ValueError, "draws -1"),
        (["--coin", "BTC", *PERIOD, "--seed", "-1"], ValueError, "seed -1 must be 0 or more"),
        (["--coin", "BTC", *PERIOD, "--seed", "9" * 20], ValueError, "below 2..63"),
        (["--coin", "BTC", *PERIOD, "--taker-bps", "-1"], ValueError, "taker_fee -0.0001 must"),
        (
            ["--coin", "BTC", *PERIOD, "--set", "lookback=9999999999"],
            ValueError,
            "lookback '9999999999' must be a whole number between",
        ),
    ],
)
def test_errors_are_one_line(lake, words, error, said):
    with pytest.raises(error, match=said) as caught:
        run(lake, *words)
    assert "\n" not in str(caught.value)


def test_no_lake_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="no lake"):
        run(tmp_path / "none", "--coin", "BTC", *PERIOD)


def test_moments_and_coins():
    assert as_moment("2026-02-03T12:00Z", "--to").isoformat() == "2026-02-03T12:00:00+00:00"
    assert as_coins(("BTC, ETH", "BTC")) == ["BTC", "ETH"]


def test_the_verb_is_found_without_its_libraries():
    heavy = "{'duckdb', 'numba', 'polars', 'vectorbt', 'rich', 'numpy'}"
    code = f"import sys, backtest.cli; sys.exit(bool({heavy} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)
