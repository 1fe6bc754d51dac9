"""A study is found by its name, played again, and held to the bytes it left."""

import json
import shutil
from datetime import timedelta

import pytest
from click.testing import CliRunner

import backtest.prove
import backtest.reproduce
from backtest.answer import answer, land_answers
from backtest.cli import backtest as command
from backtest.question import Question, asked
from backtest.recorded import find_study
from backtest.reproduce import reproduce
from backtest.strategies.asymmetry_filter import AsymmetryFilter
from backtest.strategies.catalogue import from_parameters
from backtest.strategies.cluster_take_profit import ClusterTakeProfit
from tests.backtest.leaks import BREAKOUT
from tests.backtest.small_lake import at, land_lake, land_snapshot
from warehouse.catalog import open_lake
from warehouse.contracts.tables import (
    BACKTEST_EQUITY,
    BACKTEST_PLACEBOS,
    BACKTEST_RUNS,
    BACKTEST_TRADES,
)
from warehouse.store import land
from warehouse.store.compaction import compact

LAST = 80
PERIOD = {"coins": ("BTC",), "since": at(6), "until": at(LAST), "draws": 1}
QUESTIONS = [
    Question(strategy=AsymmetryFilter(entry=BREAKOUT), **PERIOD),
    Question(strategy=ClusterTakeProfit(entry=BREAKOUT), **PERIOD),
]


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    root = land_lake(tmp_path_factory.mktemp("lake"), hours=LAST)
    answers = answer(root, QUESTIONS)
    land_answers(root, answers)
    return root, answers


@pytest.fixture
def copied(answered, tmp_path):
    root, answers = answered
    return shutil.copytree(root, tmp_path / "lake"), answers[0]


def again(root, name):
    with open_lake(root) as con:
        recorded = find_study(con, name)
    return reproduce(root, recorded, asked(recorded.question, from_parameters))


def found(root, name):
    with open_lake(root) as con:
        return find_study(con, name)


def test_a_study_is_found_by_its_name_a_run_or_a_beginning(answered):
    root, answers = answered
    for one, other in zip(answers, reversed(answers), strict=True):
        assert found(root, one.study_id).study_id == one.study_id
        own = one.played.own[0].run_id
        assert found(root, own).study_id == one.study_id
        assert found(root, own).own == (own,)
        n = next(n for n in range(1, 17) if one.study_id[:n] != other.study_id[:n])
        known = [one.study_id, own, *found(root, own).base]
        known += [other.study_id, *found(root, other.study_id).run_ids]
        while sum(name.startswith(one.study_id[:n]) for name in known) > 1:
            n += 1
        assert found(root, one.study_id[:n]).study_id == one.study_id


def test_a_name_of_several_or_of_none_is_refused_in_one_line(answered):
    root, answers = answered
    shared = answers[0].played.base[0].run_id
    for name, error, said in (
        (shared, LookupError, f"{shared} is a name of 2 studies: "),
        (
            "ffffffffffffffffff",
            LookupError,
            "no study or run is named ffffffffffffffffff; the ",
        ),
        ("x' or true --", ValueError, "must be a study_id or run_id"),
        ("", ValueError, "must be a study_id or run_id"),
    ):
        with pytest.raises(error) as raised:
            found(root, name)
        told = str(raised.value)
        assert said in told
        assert "\n" not in told
        if error is LookupError:
            assert all(one.study_id in told for one in answers)
            assert "breakout, asymmetry_filter, on BTC from 2026-01-02 06:00:00" in told


def test_a_lake_without_studies_says_how_to_make_one(tmp_path):
    with pytest.raises(LookupError, match="undertow backtest run"):
        found(tmp_path, "abc")


def test_a_study_leaves_the_same_bytes_again(answered):
    root, answers = answered
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    for one in answers:
        told = again(root, one.study_id)
        assert told.difference is None
        assert (told.same_data, told.same_code, told.changed) == (True, True, ())
        trades = sum(len(run.replay) for run in one.played.runs)
        drawn = sum(len(placebo.draws) for placebo in one.placebos)
        assert told.rows == trades + len(one.played.runs) * (1 + LAST - 6) + drawn
        assert "the same bytes" in " ".join(told.sentences())
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before


def test_a_compacted_lake_leaves_the_same_bytes(copied):
    root, one = copied
    done = compact(root, at(2000), grace=timedelta(0), wait=lambda _: None)
    assert done.files
    told = again(root, one.study_id)
    assert (told.difference, told.same_data) == (None, True)


def rewritten(root, table, name, change):
    with open_lake(root) as con:
        names = ", ".join(column.name for column in table.columns)
        rows = con.sql(
            f"select {names} from {table.name} where {table.grain[0]} = $name order by all",
            params={"name": name},
        ).to_arrow_table()
    land(root, table, change(rows.cast(table.schema)), name)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        (BACKTEST_TRADES, "pnl"),
        (BACKTEST_EQUITY, "equity"),
        (BACKTEST_RUNS, "fees"),
        (BACKTEST_PLACEBOS, "pnl"),
    ],
)
def test_one_number_that_was_tampered_with_is_named(copied, table, column):
    root, one = copied
    name = one.study_id if table is BACKTEST_PLACEBOS else one.played.own[0].run_id

    def change(rows):
        values = rows[column].to_pylist()
        values[1] += 2**-30
        place = rows.column_names.index(column)
        return rows.set_column(place, table.schema.field(column), [values])

    rewritten(root, table, name, change)
    told = again(root, one.study_id)
    assert told.difference is not None
    assert told.difference[:2] == (table.name, name)
    assert told.difference.column == column
    assert told.difference.recorded - told.difference.found == pytest.approx(2**-30, rel=1e-3)
    assert (told.same_data, told.same_code) == (True, True)


def test_a_trade_that_is_gone_is_noticed(copied):
    root, one = copied
    rewritten(root, BACKTEST_TRADES, one.played.own[0].run_id, lambda rows: rows.slice(1))
    assert again(root, one.study_id).difference.table == "backtest_trades"


def test_what_changed_in_the_lake_is_said_first(copied):
    root, one = copied
    land_snapshot(root, 18, [("BTC", -1000.0, 103.0), ("BTC", 1.0, 97.0)], known=22)
    told = again(root, one.study_id)
    assert not told.same_data
    assert {part.split()[0] for part in told.changed} == {"positions", "snapshots"}
    first, *_, last = told.sentences()
    assert first.startswith("The parts it read changed: positions 2026-01-02 reservoir-")
    assert told.difference is None or told.difference.table in last


def test_other_code_is_said_first(answered, monkeypatch):
    root, answers = answered
    monkeypatch.setattr(backtest.reproduce, "code_hash", lambda: "other")
    told = again(root, answers[0].study_id)
    assert not told.same_code
    assert next(told.sentences()) == "The code is not the one that ran."


def run(root, *words):
    return CliRunner().invoke(command, [*words, "--lake", str(root)], catch_exceptions=False)


def test_the_verbs_say_what_they_found(answered):
    root, answers = answered
    name = answers[0].study_id
    done = run(root, "prove", name, "--cuts", "1")
    assert (done.exit_code, done.stdout.count("\n")) == (0, 1)
    assert done.stdout.startswith(f"{name}: 1 cuts x 3 kinds")
    (row,) = json.loads(run(root, "reproduce", name, "--json").stdout)
    assert (row["same_bytes"], row["same_data"], row["changed"]) == (True, True, [])


def test_a_failed_proof_has_a_status_of_its_own(answered, monkeypatch):
    root, answers = answered
    monkeypatch.setattr(backtest.prove, "published", lambda con: {})
    done = run(root, "prove", answers[0].study_id, "--cuts", "1")
    assert done.exit_code == 2
    assert "known_ts is never, not at or before" in done.stdout
    done = run(root, "prove", answers[0].study_id, "--cuts", "1", "--json")
    assert done.exit_code == 2
    (row,) = json.loads(done.stdout)
    assert (row["proven"], row["difference"]["field"]) == (False, "known_ts")
    assert row["entries_moved"] is None


def test_bytes_that_differ_have_a_status_of_their_own(copied):
    root, one = copied
    rewritten(root, BACKTEST_TRADES, one.played.own[0].run_id, lambda rows: rows.slice(0, 1))
    done = run(root, "reproduce", one.study_id)
    assert done.exit_code == 2
    assert "backtest_trades of " in done.stdout
    done = run(root, "reproduce", one.study_id, "--json")
    assert done.exit_code == 2
    (row,) = json.loads(done.stdout)
    assert row["same_bytes"] is False
    assert row["difference"]["table"] == "backtest_trades"
