"""A study has the same name and bytes as long as what it rests on is the same."""

from dataclasses import replace

import numpy as np
import pytest

from backtest.rows import land_runs
from backtest.runs import name_run
from backtest.terms import Terms
from tests.backtest.data_studies import (
    BOTH,
    ENTRY,
    FILTER,
    RULES,
    only,
    replayed,
    without,
)
from tests.backtest.small_lake import (
    land_lake,
    land_snapshot,
)


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    return land_lake(tmp_path_factory.mktemp("lake"))


def test_the_same_study_twice_leaves_the_same_bytes(lake, studies):
    before = {path: path.read_bytes() for path in lake.glob("backtest_*/*/*.parquet")}
    assert before
    again = replayed(lake, BOTH)
    land_runs(lake, again.runs)
    assert {path: path.read_bytes() for path in lake.glob("backtest_*/*/*.parquet")} == before
    assert [run.run_id for run in again.runs] == [
        run.run_id for run in studies[BOTH.variant].runs
    ]


def test_another_question_has_another_name(lake, studies):
    names = {run.run_id for run in studies[BOTH.variant].own}
    for more in (
        {"strategy": replace(BOTH, entry=replace(FILTER, entry=replace(ENTRY, stop_pct=1.1)))},
        {"terms": without("funding")},
        {"terms": without("slippage")},
        {"terms": Terms(leverage=3.0)},
        {"terms": Terms(limit="through")},
        {"terms": Terms(latency=np.timedelta64(1, "s"))},
        {"knowable": False},
    ):
        other = replayed(lake, **{"strategy": BOTH} | more)
        assert names.isdisjoint(run.run_id for run in other.own), more


@pytest.mark.parametrize("name", ["wanted", "unmapped", "cluster_px"])
def test_whatever_is_written_of_decisions_is_in_the_name(studies, name):
    """Two runs whose rows differ may not replace each other, though they trade alike."""
    played = studies[BOTH.variant]
    (tape,), run = played.tapes, only(played)
    leg = tape.leg(BOTH.decide(tape.view()))
    made = leg.decisions
    other = made.but(**{name: np.full(len(made), 1, getattr(made, name).dtype)})
    names = {
        name_run(tape, BOTH, replace(leg, decisions=one), run.costs) for one in (made, other)
    }
    assert names == {run.run_id, *names}
    assert len(names) == 2


def test_other_rows_have_another_name(tmp_path, studies):
    """A map that changes decisions renames the rules that read it, and no other."""
    root = land_lake(tmp_path)
    land_snapshot(root, 18, [("BTC", -1000.0, 103.0), ("BTC", 1.0, 97.0)], known=22)
    for rule in RULES:
        one, two = studies[rule.variant], replayed(root, rule)
        assert only(one).run_id != only(two).run_id
        assert only(one, base=True).run_id == only(two, base=True).run_id
