"""What the README shows is run: it must not lie."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.inside import run

ROOT = Path(__file__).parents[2]
README = ROOT.joinpath("README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
PYTHON = [body for kind, body in BLOCKS if kind == "python"]
LINES = [line for kind, body in BLOCKS if kind == "sh" for line in body.splitlines()]
SHELL = [line for line in LINES if line.startswith("undertow ")]


@pytest.mark.parametrize("body", PYTHON)
def test_python_blocks_run(demo, body):
    paths = {"PYTHONPATH": str(ROOT), "UNDERTOW_LAKE": "data/demo/lake"}
    done = subprocess.run(
        [sys.executable, "-c", body],
        cwd=demo.folder,
        env=os.environ | paths,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "BTC" in done.stdout


@pytest.mark.parametrize("line", SHELL)
def test_shell_lines_run(demo, line, monkeypatch):
    monkeypatch.setenv("UNDERTOW_LAKE", "data/demo/lake")
    done = run(*shlex.split(line)[1:], cwd=demo.folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() not in {"", "[]"}


def test_there_is_something_to_run():
    assert len(PYTHON) >= 1
    assert len(SHELL) >= 5
    assert set(LINES) - set(SHELL) == {"export UNDERTOW_LAKE=data/demo/lake"}


def test_verbs_and_options_that_are_only_shown_exist():
    """Blocks that cost money or never end are not run, but their options must exist."""
    shown = [
        line
        for kind, body in BLOCKS
        if kind == "console"
        for line in body.splitlines()
        if line.startswith("undertow ")
    ]
    assert shown
    for line in shown:
        words = shlex.split(line)
        verb = [word for word in words[1:3] if not word.startswith("-")]
        done = run(*verb, "--help")
        assert done.returncode == 0, done.stderr
        for option in (word for word in words if word.startswith("--")):
            assert option in done.stdout, line


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "data/README.md"])
def test_links_lead_somewhere(page):
    text = ROOT.joinpath(page).read_text()
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert ROOT.joinpath(page).parent.joinpath(target).exists(), target


def test_the_tables_and_macros_it_lists_exist(tmp_path):
    from warehouse import catalog
    from warehouse.contracts.tables import TABLES

    names = {table.name for table in TABLES} | {made.name for made in catalog.definitions()}
    for name in re.findall(r"`([a-z_]+)\([^`]*\)`", README):
        assert name in names, name
    for table in TABLES:
        assert f"`{table.name}`" in README, table.name


def test_the_strategy_it_shows_runs_as_a_module_of_the_working_folder(tmp_path, monkeypatch):
    """Imported, the file only tells of its class, and answers nothing again."""
    from backtest.strategies.catalogue import made

    (body,) = (one for one in PYTHON if "FollowTheMagnet(Strategy)" in one)
    (tmp_path / "my_module.py").write_text(body)
    monkeypatch.chdir(tmp_path)
    words = {"ratio": "3"}
    rule = made("my_module:FollowTheMagnet", words, outside=True)
    monkeypatch.delitem(sys.modules, "my_module")
    assert rule.parameters() == {"strategy": "my_module:FollowTheMagnet", "ratio": 3.0}
