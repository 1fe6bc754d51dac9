"""The ``.py`` is reviewed and run, the ``.ipynb`` is its picture."""

import runpy
from pathlib import Path

import jupytext
import pytest

from warehouse import catalog

NOTEBOOKS = sorted(
    path
    for path in Path(__file__).parents[2].joinpath("notebooks").glob("*.py")
    if path.name != "draw.py"
)
# Tests of their own run them: they ask for other days, or take longer.
ELSEWHERE = {"anatomy_of_a_crash", "asymmetry_filter_tested", "scenario_against_reality"}
each = pytest.mark.parametrize("script", NOTEBOOKS, ids=lambda path: path.stem)


@pytest.mark.parametrize(
    "script",
    [path for path in NOTEBOOKS if path.stem not in ELSEWHERE],
    ids=lambda path: path.stem,
)
def test_runs_on_the_demos_lake(script, demo, monkeypatch, capsys):
    monkeypatch.setenv("UNDERTOW_LAKE", str(demo.lake))
    runpy.run_path(str(script), run_name="__main__")
    assert "simulated" in capsys.readouterr().out


@each
def test_the_picture_shows_the_script(script):
    shown, written = (jupytext.read(script.with_suffix(end)) for end in (".ipynb", ".py"))
    assert [cell.source for cell in shown.cells] == [cell.source for cell in written.cells]
    drawn = [cell for cell in shown.cells if cell.get("outputs")]
    assert any("image/png" in out.get("data", {}) for cell in drawn for out in cell.outputs)
    assert not any(out.output_type == "error" for cell in drawn for out in cell.outputs)


def test_the_tour_asks_every_question():
    tour = Path(__file__).parents[2].joinpath("notebooks", "sql_tour.py").read_text()
    made = [one.name for one in catalog.definitions("table macro")]
    assert [name for name in made if f"{name}(" not in tour] == []
