"""A question's answer and the rows it leaves."""

import json
from dataclasses import replace

import pytest

from backtest.answer import answer, land_answers
from backtest.findings.find import Findings
from backtest.question import Question, asked
from backtest.strategies.asymmetry_filter import AsymmetryFilter
from backtest.strategies.breakout import Breakout
from backtest.strategies.catalogue import from_parameters
from backtest.strategies.cluster_take_profit import ClusterTakeProfit
from backtest.terms import Costs, Terms
from tests.backtest.small_lake import HOURS, at, land_lake, land_snapshot
from warehouse.catalog import open_lake

ENTRY = Breakout(lookback=6, stop_pct=1.0, target_pct=1.5, max_bars=12)
RULES = (AsymmetryFilter(entry=ENTRY), ClusterTakeProfit(entry=ENTRY, moves=True))
QUESTIONS = [
    Question(strategy=rule, coins=("BTC",), since=at(6), until=at(HOURS), draws=9)
    for rule in RULES
]


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    return land_lake(tmp_path_factory.mktemp("lake"))


@pytest.fixture(scope="module")
def answers(lake):
    found = answer(lake, QUESTIONS)
    land_answers(lake, found)
    return found


def rows(lake, query):
    with open_lake(lake) as con:
        return con.sql(query).pl()


def test_a_study_is_written_as_it_was_found(lake, answers):
    told = {row["study_id"]: row for row in rows(lake, "from backtest_studies").to_dicts()}
    assert len(told) == 2
    for one in answers:
        row = told[one.study_id]
        assert row["verdict"].split("\n") == one.verdict
        assert Findings.of_json(row["findings"]) == one.findings
        assert asked(row["question"], from_parameters) == one.played.question
        named = json.loads(row["runs"])
        assert named["own"] == [one.played.own[0].run_id]
        assert named["base"] == [one.played.base[0].run_id]
        assert (row["data_hash"], row["code_hash"]) == (one.data_hash, one.code_hash)
        held = rows(lake, f"from backtest_placebos where study_id = '{one.study_id}'")
        assert held.height == sum(len(placebo.draws) for placebo in one.placebos) > 9
    assert told.keys() == {one.study_id for one in answers}


def test_what_was_tried_together_counts_together(lake, answers):
    """Two rules and the one without the map that both share: three trials for each."""
    assert rows(lake, "select count(distinct trial_id) from backtest_trials").item() == 3
    assert [one.findings.ratio.trials for one in answers] == [3, 3]
    more = [replace(QUESTIONS[0], strategy=replace(RULES[0], min_ratio=2.0))]
    with open_lake(lake) as con:
        assert answer(con, more)[0].findings.ratio.trials == 4


def test_who_has_seen_an_answer_has_tried(tmp_path):
    """Whether it is kept or not; of a catalog alone nothing is written."""
    root = land_lake(tmp_path)
    with open_lake(root) as con:
        answer(con, QUESTIONS[:1])
    assert not list(root.glob("backtest_*"))
    answer(root, QUESTIONS[:1])
    assert [path.name for path in root.glob("backtest_*")] == ["backtest_trials"]
    with open_lake(root) as con:
        (other,) = answer(con, QUESTIONS[1:])
    assert other.findings.ratio.trials == 3


def test_the_same_question_twice_leaves_the_same_bytes(lake, answers):
    before = {path: path.read_bytes() for path in lake.glob("backtest_*/*/*.parquet")}
    assert len({path.parent.parent.name for path in before}) == 6
    land_answers(lake, answer(lake, QUESTIONS))
    assert {path: path.read_bytes() for path in lake.glob("backtest_*/*/*.parquet")} == before


def test_a_study_is_named_by_question_and_rows(tmp_path, answers):
    names = {one.study_id for one in answers}
    root = land_lake(tmp_path)
    (same,) = answer(root, QUESTIONS[:1])
    assert same.study_id == answers[0].study_id
    for other in (
        replace(QUESTIONS[0], seed=1),
        replace(QUESTIONS[0], terms=Terms(Costs(taker_fee=0.0004))),
    ):
        assert answer(root, [other])[0].study_id not in names
    land_snapshot(root, 19, [("BTC", 1.0, 90.0)], known=20)
    assert answer(root, QUESTIONS[:1])[0].study_id not in names


def test_what_has_no_answer_leaves_nothing(tmp_path):
    root = land_lake(tmp_path)
    nothing = replace(QUESTIONS[0], coins=("BTC", "DOGE"))
    with pytest.raises(LookupError, match="DOGE"):
        land_answers(root, answer(root, [QUESTIONS[0], nothing]))
    assert not list(root.glob("backtest_*"))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"coins": ()}, "at least one coin"),
        ({"coins": ("BTC", "BTC")}, "each be named once"),
        ({"since": at(9), "until": at(9)}, "must end after it starts"),
        ({"draws": -1}, "draws -1 must be 0 or more"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        replace(QUESTIONS[0], **wrong)
