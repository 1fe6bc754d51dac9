import json
import subprocess
import sys

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
    return CliRunner().invoke(backtest, [*words, "--lake", str(lake)], catch_exceptions=False)


def test_a_table_and_a_verdict(lake):
    done = run(lake, "--coin", "BTC", *PERIOD)
    assert done.exit_code == 0
    for word in ("without map", "asymmetry filter", "cluster take-profit", "mean trade %"):
        assert word in done.stdout
    assert done.stdout.count("trades") > 3
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
        (["--coin", "BTX", *PERIOD], LookupError, "near it: BTC"),
        (["--coin", "BTC", *PERIOD, "--venue", "okx"], LookupError, "okx BTC"),
        (["--coin", " , ", *PERIOD], ValueError, "--coin"),
        (["--coin", "BTC", *PERIOD, "--taker-bps", "4500"], ValueError, "taker_fee 0.45"),
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
