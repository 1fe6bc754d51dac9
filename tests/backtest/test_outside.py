"""A module of one's own is found beside where one works, and nowhere longer than needed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from backtest.outside import folders
from backtest.proof.anew import Anew
from backtest.question import Question
from backtest.rule_code import rule_code
from backtest.strategies.catalogue import class_of
from backtest.trials import land_trials, read_trials, trial_id, trial_row
from tests.backtest.small_lake import at
from tests.backtest.test_rule_code import OWN

RULE = OWN.format(side="fell")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Work in a folder that Python's path does not know."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [one for one in sys.path if one])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_a_module_of_the_working_folder_is_found_and_the_path_is_as_it_was(here):
    (here / "helps_mine.py").write_text("FALL = 0.01\n")
    (here / "my_own_rule.py").write_text("from helps_mine import FALL\n" + RULE)
    path = sys.path[:]
    kind = class_of("my_own_rule:Dips", outside=True)
    assert kind.__name__ == "Dips"
    assert sys.path == path
    assert rule_code(kind()).keys() == {"my_own_rule"}
    assert Anew(kind()).whole
    with Anew(kind()).made() as again:
        assert type(again) is not kind
    assert sys.path == path


def test_a_package_of_the_working_folder_is_found(here):
    (here / "mine_all").mkdir()
    (here / "mine_all" / "dips.py").write_text(RULE)
    assert class_of("mine_all.dips:Dips", outside=True).__module__ == "mine_all.dips"


def test_the_error_says_where_was_looked(here):
    with pytest.raises(ValueError, match="No module named 'no_rule_here'") as raised:
        class_of("no_rule_here:Dips", outside=True)
    said = str(raised.value)
    assert f"looked in the working folder and on the path: {here}, " in said
    assert folders()[0] == str(here)
    assert "\n" not in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import no_such_helper\n", "half_a_rule does not import: No module named 'no_such"),
        ("from os import nothing\n", "half_a_rule does not import: cannot import name"),
        ("def (\n", "half_a_rule does not import: invalid syntax"),
    ],
)
def test_a_module_that_does_not_import_says_why(here, text, said):
    (here / "half_a_rule.py").write_text(text)
    with pytest.raises(ValueError, match=said):
        class_of("half_a_rule:Dips", outside=True)


def test_a_rule_of_a_script_says_how_it_is_asked_for():
    with pytest.raises(
        ValueError, match=r"Dips': a script or a session cannot be .* my_module, in the "
    ):
        class_of("__main__:Dips", outside=True)


@pytest.mark.parametrize("name", [":Dips", ".rule:Dips", "my rule:Dips", "a/b:Dips"])
def test_what_is_no_module_is_named(name):
    with pytest.raises(ValueError, match="is no name of a module"):
        class_of(name, outside=True)


def asked(rule, **more):
    said = {"coins": ("BTC",), "since": at(6), "until": at(80)}
    return Question(strategy=rule, **said | more)


def as_main(folder):
    """Return the trial of a rule, and its JSON, asked by a script that holds it."""
    script = folder / "the_script.py"
    script.write_text(RULE + MAIN)
    done = subprocess.run(
        [sys.executable, script],
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


MAIN = """

if __name__ == "__main__":
    import json
    from backtest.trials import trial_id
    from tests.backtest.test_outside import asked
    question = asked(Dips())
    print(json.dumps([trial_id(question), question.strategy.name]))
"""


def test_a_rule_is_one_trial_whatever_its_module_was_called(here):
    named, name = as_main(here)
    assert name == "__main__:Dips"
    text = (here / "the_script.py").read_text()
    (here / "other_name.py").write_text(text)
    (here / "edited.py").write_text(text + "\n")
    trials = {
        module: trial_id(asked(class_of(f"{module}:Dips", outside=True)()))
        for module in ("the_script", "other_name", "edited")
    }
    assert trials["the_script"] == trials["other_name"] == named
    assert trials["edited"] != named


def test_a_rule_tried_on_another_coin_counts_whatever_its_module_was_called(here, tmp_path):
    for module in ("one_name", "another_name"):
        (here / f"{module}.py").write_text(RULE)
    one, other = (
        class_of(f"{module}:Dips", outside=True)() for module in ("one_name", "another_name")
    )

    class Nothing:
        returns, sharpe = __import__("numpy").zeros(3), None

    row = trial_row(asked(one, coins=("ETH",)), Nothing, 0, source="undertow", known_ts=at(80))
    land_trials(tmp_path / "lake", [row])
    from warehouse import open_lake

    with open_lake(tmp_path / "lake") as con:
        assert read_trials(con, asked(other)).count == 2
        assert read_trials(con, asked(type(other)(fall=0.1))).count == 1
