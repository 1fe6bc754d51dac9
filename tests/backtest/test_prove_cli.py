"""``undertow backtest prove`` says what a rule of one's own touched, and what cuts take."""

import json
import sys

import pytest
from click.testing import CliRunner

import backtest.prove
from backtest.answer import answer, land_answers
from backtest.cli import backtest as command
from backtest.cli.prove import cost
from backtest.proof.worlds import TRUNCATED
from backtest.question import Question
from backtest.strategies.catalogue import class_of
from tests.backtest.leaks import BREAKOUT
from tests.backtest.small_lake import at, land_lake
from tests.backtest.test_rule_code import OWN

LAST = 40
PERIOD = {"coins": ("BTC",), "since": at(6), "until": at(LAST), "draws": 0}
WRITES = OWN.format(side="fell").replace(
    "        fell =", "        open('what_i_saw.txt', 'a').close()\n        fell ="
)


@pytest.fixture(scope="module", autouse=True)
def code():
    """The code that runs, whoever edits it meanwhile; worlds of one kind, to be quick."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("backtest.answer.code_hash", lambda: "as it is")
        patch.setattr(backtest.prove, "KINDS", (TRUNCATED,))
        yield


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    """A lake with a study of the catalogue, and of a rule that writes beside itself."""
    folder = tmp_path_factory.mktemp("own")
    root = land_lake(folder / "lake", hours=LAST)
    (folder / "rule_that_writes.py").write_text(WRITES)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        kind = class_of("rule_that_writes:Dips", outside=True)
        answers = answer(root, [Question(strategy=one, **PERIOD) for one in (BREAKOUT, kind())])
        land_answers(root, answers)
        yield folder, [one.study_id for one in answers]
    sys.modules.pop("rule_that_writes", None)


def run(studies, number, *words):
    folder, names = studies
    lake = str(folder / "lake")
    return CliRunner().invoke(command, ["prove", names[number], *words, "--lake", lake])


def test_code_from_outside_is_asked_for_by_name(studies):
    done = run(studies, 1, "--cuts", "1")
    assert "it runs only if asked for (--outside)" in str(done.exception)


def test_what_a_rule_touches_is_a_failure_until_it_is_allowed(studies, monkeypatch):
    monkeypatch.chdir(studies[0])
    done = run(studies, 1, "--cuts", "1", "--outside")
    assert done.exit_code == 2
    file = studies[0] / "what_i_saw.txt"
    assert f"the rule touched file {file}. What it finds" in done.stdout
    done = run(studies, 1, "--cuts", "1", "--outside", "--json")
    (row,) = json.loads(done.stdout)
    assert (done.exit_code, row["proven"], row["difference"]) == (2, False, None)
    assert row["touched"] == [f"file {file}"]
    done = run(studies, 1, "--cuts", "1", "--outside", "--allow-io")
    assert done.exit_code == 0, done.output
    assert done.stdout.endswith(f"The rule touched file {file}; for that you answer.\n")


def test_every_entry_is_cut_behind_and_what_it_takes_is_said_first(studies):
    done = run(studies, 0, "--every-entry", "--json")
    assert done.exit_code == 0, done.output
    (row,) = json.loads(done.stdout)
    assert row["entries"] == row["entries_reached"] > 1
    assert row["chance_missed"] == 0
    assert done.stderr.startswith(f"{row['replays']} replays at some ")
    few = run(studies, 0, "--cuts", "1", "--json")
    assert few.stderr == ""
    (row,) = json.loads(few.stdout)
    assert row["entries_reached"] == 1 < row["entries"]
    # The first alone, and none of those among which a rare leak may lie.
    assert row["chance_missed"] == 1


def test_cuts_and_every_entry_are_not_asked_for_together(studies):
    done = run(studies, 0, "--every-entry", "--cuts", "2")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "--cuts and --every-entry: give one of them" in done.stderr


def test_what_it_takes_is_told_in_seconds_or_minutes():
    assert cost(12, 2.0) == "12 replays at some 2.0 s each: about 24 s."
    assert cost(1200, 2.5) == "1,200 replays at some 2.5 s each: about 50 min."
