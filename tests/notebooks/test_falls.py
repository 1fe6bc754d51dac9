"""The notebooks on two falls: on the reader's rows of those days, else on rows made up."""

import runpy
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[2] / "notebooks"
FATES = ("hit", "closed", "gone", "not_seen", "moved", "held")


@contextmanager
def run(name, lake, monkeypatch):
    """Run a notebook where ``UNDERTOW_LAKE`` names a lake, and yield its variables."""
    monkeypatch.setenv("UNDERTOW_LAKE", str(lake))
    with pl.Config():  # what it sets ends with it
        made = runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
    yield made
    made["con"].close()
    if "folder" in made:
        made["folder"].cleanup()


def adds_up(scores):
    """Return whether each snapshot's mass within the way is told in full by its fates."""
    told = pl.sum_horizontal(pl.col(name).fill_null(0) for name in FATES)
    return scores.select((told - pl.col("predicted")).abs().max()).item() < 1


def is_a_step(reach):
    """Return whether next to nothing was liquidated before the price met it, and most after."""
    sums = reach.with_columns(met=pl.col("band") > 5, usd=pl.col("liquidated") * pl.col("mass"))
    shares = sums.group_by("met").agg(share=pl.col("usd").sum() / pl.col("mass").sum())
    unmet, met = shares.sort("met")["share"]
    return unmet < 0.01 and met > 0.5


def test_a_crash_that_the_lake_does_not_hold_is_made_up_and_says_so(
    tmp_path, monkeypatch, capsys
):
    with run("anatomy_of_a_crash", tmp_path, monkeypatch) as made:
        assert capsys.readouterr().out.startswith(
            "2025-10-10, rows of source simulated: a made-up market"
        )
        assert made["cascade"]["side"].item() == "long"
        assert made["cascade"]["move_pct"].item() < -10
        assert set(made["methods"]["method"]) == {"market", "backstop", "adl"}
        parts = made["reached"].select("liquidated", "closed", "moved", "held", "not_seen")
        assert parts.sum_horizontal().item() == pytest.approx(made["reached"]["mapped"].item())
        # What every panel and table needs is held.
        assert not made["flow"]["cascade_score"].drop_nulls().is_empty()


def test_a_fall_that_the_lake_does_not_hold_is_made_up_and_says_so(
    tmp_path, monkeypatch, capsys
):
    with run("scenario_against_reality", tmp_path, monkeypatch) as made:
        assert "rows of source simulated: a made-up market" in capsys.readouterr().out
        scores = made["scores"]
        assert adds_up(scores)
        assert not adds_up(scores.with_columns(hit=pl.col("hit") * 0.5))
        # Made-up rows tell everything: the map is right, but for what people did in between.
        assert scores.select(pl.col("hit").sum() / pl.col("predicted").sum()).item() > 0.5
        assert scores.select(pl.col("untold").sum() / pl.col("came").sum()).item() < 0.25
        assert is_a_step(made["reach"])
        assert not is_a_step(made["reach"].with_columns(pl.col("liquidated").reverse()))
        misses = made["con"].sql("select cause, sum(usd) from misses group by cause").fetchall()
        every = sum(usd for _, usd in misses)
        assert dict(misses).get("not explained", 0) < 0.05 * every


def test_the_crash_is_read_from_real_rows(real_demo, monkeypatch, capsys):
    with run("anatomy_of_a_crash", real_demo.lake, monkeypatch) as made:
        assert "simulated" not in capsys.readouterr().out
        assert made["cascade"]["side"].item() == "long"
        # No snapshot, no contexts and no book of that day are held: nothing is said of them.
        assert made["reached"].is_empty()
        assert made["flow"]["cascade_score"].null_count() == made["flow"].height


def test_the_fall_is_read_from_real_rows(real_demo, monkeypatch, capsys):
    with run("scenario_against_reality", real_demo.lake, monkeypatch) as made:
        assert "simulated" not in capsys.readouterr().out
        scores = made["scores"]
        assert adds_up(scores)
        # No fills of these days are held: what was liquidated is not known, and has no score.
        for name in ("hit", "came", "kept", "told"):
            assert scores[name].null_count() == scores.height
        assert scores["kept_at_most"].count() > 0
