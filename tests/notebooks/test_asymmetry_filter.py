"""The notebook on the asymmetry filter: on the demo's made-up rows, and on real ones."""

import runpy
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import polars as pl
import pytest

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parents[2] / "notebooks" / "asymmetry_filter_tested.py"


@contextmanager
def run(lake, monkeypatch):
    """Run the notebook on a lake, and yield its variables; the lake stays as it was."""
    monkeypatch.setenv("UNDERTOW_LAKE", str(lake))
    before = {path: path.read_bytes() for path in lake.rglob("*.parquet")}
    with pl.Config():  # what it sets ends with it
        made = runpy.run_path(str(SCRIPT), run_name="__main__")
    yield made
    made["con"].close()
    made["folder"].cleanup()
    assert {path: path.read_bytes() for path in lake.rglob("*.parquet")} == before


def adds_up(made):
    """Return whether the steps of the fake are the best setting's trades, cost by cost."""
    usd = dict(made["con"].sql("select step, sum(usd) from steps group by step").fetchall())
    asked, best = (made[name].findings.costs for name in ("study", "best"))
    told = [asked.net, best.net, best.slippage, best.fees, best.funding]
    taken = [usd[1], usd[2], *(usd[step] - usd[step - 1] for step in (3, 4, 5))]
    return np.allclose(told, taken, atol=1e-6)


def test_the_filter_is_tested_on_made_up_rows_and_says_so(demo, monkeypatch, capsys):
    with run(demo.lake, monkeypatch) as made:
        first = capsys.readouterr().out.splitlines()[0]
        assert first.endswith("rows of source simulated: a made-up market")
        assert any("No edge is shown" in sentence for sentence in made["study"].verdict)
        # Every setting is a trial, so are the filter as asked and the rule without the map.
        assert made["left"].trials >= made["swept"].kept.trials + 2
        assert made["tried"]["sharpe_year"].max() == pytest.approx(
            made["left"].deflated.sharpe * np.sqrt(365)
        )
        assert adds_up(made)
        made["con"].execute("update steps set usd = usd + 1 where step = 4")
        assert not adds_up(made)
        proofs = made["proofs"]
        assert proofs["honest"].difference is None
        assert proofs["honest"].trades > 0
        assert proofs["foreseen"].difference.what == "decision"


def test_the_filter_is_tested_on_real_rows(real_demo, monkeypatch, capsys):
    with run(real_demo.lake, monkeypatch) as made:
        said = capsys.readouterr().out.splitlines()
        assert "simulated" not in said[0]
        # The venue's volumes of these days are not held, so size costs nothing, as is said.
        assert said[1].startswith("Slippage is left out")
        assert made["room"] is None
        assert adds_up(made)
        assert made["proofs"]["honest"].difference is None
        assert made["proofs"]["foreseen"].difference is not None
