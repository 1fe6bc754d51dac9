"""The code of rules from outside: edited, they are other trials, sweeps and studies."""

import importlib
import json
import linecache
import sys
import types
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from backtest.cli import backtest
from backtest.question import Question, asked
from backtest.rule_code import rule_code
from backtest.strategies.asymmetry_filter import AsymmetryFilter
from backtest.strategies.breakout import Breakout
from backtest.strategies.catalogue import from_parameters
from backtest.trials import trial_id
from tests.backtest.small_lake import land_lake

OWN = """
from dataclasses import dataclass

from backtest.decisions import Decisions
from backtest.strategies.strategy import Strategy


@dataclass(frozen=True, kw_only=True)
class Dips(Strategy):
    fall: float = 0.005

    def decide(self, view):
        fell = view.close_px < view.open_px * (1 - self.fall)
        return Decisions.of({side}, stop_fraction=0.02, max_bars=24, notional=10_000.0)
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Return what writes a rule of a user's own, and imports it anew."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(side):
        (tmp_path / "dips_of_ones_own.py").write_text(OWN.format(side=side))
        sys.modules.pop("dips_of_ones_own", None)
        importlib.invalidate_caches()
        return importlib.import_module("dips_of_ones_own").Dips()

    yield write
    sys.modules.pop("dips_of_ones_own", None)


def question(strategy):
    since, until = (datetime(2026, 1, day, tzinfo=UTC) for day in (3, 10))
    return Question(strategy=strategy, coins=("BTC",), since=since, until=until)


def test_an_edited_rule_is_another_trial(own):
    names = set()
    for side in ("fell", "-fell.astype(int)", "fell"):
        rule = own(side)
        names.add(trial_id(question(rule)))
        inner = rule_code(AsymmetryFilter(entry=rule))
        assert inner == rule_code(rule)
        assert inner.keys() == {"dips_of_ones_own"}
    assert len(names) == 2


def test_rules_of_the_package_name_no_code():
    assert rule_code(AsymmetryFilter(entry=Breakout())) == {}


def test_the_code_of_what_a_rule_inherits_counts(own):
    base = type(own("fell"))
    heir = type("Heir", (base,), {"__module__": __name__})
    assert rule_code(heir()).keys() == {"dips_of_ones_own", __name__}


def typed(text, monkeypatch):
    """Return a rule typed into a session, as a notebook keeps it."""
    cell = types.ModuleType("a_session")
    monkeypatch.setitem(sys.modules, "a_session", cell)
    name = f"<cell {hash(text)}>"
    monkeypatch.setitem(linecache.cache, name, (len(text), None, text.splitlines(True), name))
    exec(compile(text, name, "exec"), cell.__dict__)
    return cell.Dips()


def test_a_rule_typed_into_a_session_is_told_by_its_methods(monkeypatch):
    one, other = (
        rule_code(typed(OWN.format(side=side), monkeypatch)) for side in ("fell", "~fell")
    )
    assert one["a_session"] is not None
    assert one != other


def test_a_question_comes_back_from_its_text_with_the_code_that_is_there_now(own):
    text = question(own("fell")).as_json()

    def back(said):
        return from_parameters(said, outside=True)

    assert asked(text, back).as_json() == text
    own("-fell.astype(int)")
    assert asked(text, back).as_json() != text
    assert replace(asked(text, back), seed=1).as_json() != text


@pytest.mark.slow
def test_an_edited_rule_is_swept_and_reproduced_anew(own, tmp_path, monkeypatch):
    monkeypatch.setattr("backtest.search.keep.code_hash", lambda: "as it is")
    lake = land_lake(tmp_path / "lake")
    period = ("--coin", "BTC", "--from", "2026-01-03", "--to", "2026-01-10")
    rule = ("--strategy", "dips_of_ones_own:Dips")

    def done(verb, *words):
        return CliRunner().invoke(
            backtest, [verb, *words, "--lake", str(lake)], catch_exceptions=False
        )

    own("fell")
    best = [
        json.loads(done("sweep", *rule, "--set", "fall=0.004,0.005", *period, "--json").stdout)
    ]
    assert done("run", *rule, *period, "--draws", "3").exit_code == 0
    (study,) = (path.stem for path in lake.glob("backtest_studies/*/*.parquet"))
    assert "the same bytes" in done("reproduce", study, "--outside").stdout
    own("-fell.astype(int)")
    best.append(
        json.loads(done("sweep", *rule, "--set", "fall=0.004,0.005", *period, "--json").stdout)
    )
    assert best[0][0]["return_fraction"] != best[1][0]["return_fraction"]
    again = done("reproduce", study, "--outside")
    assert again.exit_code == 2
    assert again.stdout.startswith("The code is not the one that ran.")
