"""A study is found by its name, played again, and held to the bytes it left."""

import json
import shutil
from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from click.testing import CliRunner

import backtest.prove
import backtest.reproduce
from backtest.answer import answer, land_answers
from backtest.cli import backtest as command
from backtest.daily import Daily
from backtest.findings.find import find
from backtest.placebos.play import play_placebos
from backtest.question import Question, asked
from backtest.recorded import find_study
from backtest.reproduce import _today, reproduce
from backtest.strategies.asymmetry_filter import AsymmetryFilter
from backtest.strategies.catalogue import from_parameters
from backtest.strategies.cluster_take_profit import ClusterTakeProfit
from backtest.strategies.signals import Signals
from backtest.trials import Trials, land_trials, trial_row
from tests.backtest.leaks import BREAKOUT
from tests.backtest.made import At, planted, played_of, tape_of
from tests.backtest.small_lake import at, land_lake, land_snapshot
from warehouse.catalog import open_lake
from warehouse.contracts.tables import (
    BACKTEST_EQUITY,
    BACKTEST_PLACEBOS,
    BACKTEST_RUNS,
    BACKTEST_STUDIES,
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


@pytest.fixture(scope="module", autouse=True)
def code():
    """The code that runs, whoever edits it meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("answer", "reproduce"):
            patch.setattr(f"backtest.{module}.code_hash", lambda: "as it is")
        yield


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
        (shared, LookupError, f"{shared} is a name of 2 studies, newest"),
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
            assert "(asymmetry_filter on BTC)" in told


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
        assert told.rows == trades + len(one.played.runs) * (1 + LAST - 6) + drawn + 1
        (said,) = told.sentences()
        assert "the same bytes of runs, trades, equity, placebos, findings and verdict" in said
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


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("verdict", lambda said: said.replace("No edge is shown", "An edge is shown")),
        ("findings", lambda said: said.replace('"untrusted": 0', '"untrusted": 1')),
        ("trials", lambda said: said.replace('"count": 3', '"count": 1')),
        ("assumptions", lambda said: said + "\nWhatever you like."),
        ("notes", lambda said: said.upper()),
    ],
)
def test_a_word_of_a_study_that_was_tampered_with_is_named(copied, column, change):
    root, one = copied

    def changed(rows):
        (said,) = rows[column].to_pylist()
        assert change(said) != said
        place = rows.column_names.index(column)
        field = BACKTEST_STUDIES.schema.field(column)
        return rows.set_column(place, field, [[change(said)]])

    rewritten(root, BACKTEST_STUDIES, one.study_id, changed)
    told = again(root, one.study_id)
    # A number of trials that is not that of the findings makes others.
    named = {"trials": "verdict"}.get(column, column)
    assert told.difference[:2] == ("backtest_studies", one.study_id)
    assert told.difference.column == named
    assert (told.same_data, told.same_code) == (True, True)


def test_what_was_tried_since_changes_no_verdict_of_then_and_is_told_beside_it(copied):
    """Forty more trials, some of them far better: the deflated ratio falls."""
    root, one = copied
    before = again(root, one.study_id)
    assert (before.difference, before.today) == (None, None)
    rows = []
    for number in range(40):
        rule = replace(BREAKOUT, lookback=10 + number)
        daily = Daily(np.array(["2026-01-02"], "datetime64[D]"), np.array([0.01]))
        question = replace(QUESTIONS[0], strategy=rule)
        row = trial_row(question, daily, 1, source="undertow", known_ts=question.until)
        rows.append(row | {"sharpe": (-1) ** number * 0.02 * number})
    land_trials(root, rows)
    told = again(root, one.study_id)
    assert told.difference is None
    *_, last = told.sentences()
    assert last == told.today
    assert last.startswith("Among the 43 trials that the lake knows now (3 then) ")
    assert "deflated Sharpe ratio" in last
    verb = run(root, "reproduce", one.study_id, "--json")
    (said,) = json.loads(verb.stdout)
    assert (verb.exit_code, said["same_bytes"], said["today"]) == (0, True, last)


def test_a_verdict_that_the_trials_of_now_would_turn_is_said():
    """The sentence alone: the conclusion of a study that passed all, and of many trials."""
    played = played_of([tape_of(planted(90, 0.002, 1)[0])], At(rows=planted(90, 0.002, 1)[1]))
    then, now = Trials(2, 1e-4), Trials(1_000, 0.04)
    found = find(played, play_placebos(played), then, 3)
    assert _today(found, played, then, then) is None
    said = _today(found, played, then, now)
    assert said.startswith("Among the 1,000 trials that the lake knows now (2 then) ")
    assert "No edge is shown: of " in said or "the verdict stays" in said
    assert said.endswith(").")


def test_a_study_that_did_not_keep_its_trials_is_not_made_again(copied):
    root, one = copied

    def without(rows):
        place, field = (
            rows.column_names.index("trials"),
            BACKTEST_STUDIES.schema.field("trials"),
        )
        return rows.set_column(place, field, [pa.array([None], pa.string())])

    rewritten(root, BACKTEST_STUDIES, one.study_id, without)
    with pytest.raises(LookupError, match="does not say what trials it was judged among"):
        again(root, one.study_id)


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
    assert done.stdout.startswith(f"{name}: 1 cuts x 4 kinds")
    (row,) = json.loads(run(root, "reproduce", name, "--json").stdout)
    assert (row["same_bytes"], row["same_data"], row["changed"]) == (True, True, [])


def test_a_study_of_a_series_says_why_and_how_it_is_played_from_python(copied):
    root, _ = copied
    side = np.resize([0, 1, 0, -1], LAST - 6)
    rule = Signals(side, stop_pct=1.0, max_bars=2)
    (one,) = answer(root, [Question(strategy=AsymmetryFilter(entry=rule), **PERIOD)])
    land_answers(root, [one])
    for verb in ("prove", "reproduce"):
        with pytest.raises(ValueError, match="follows a series of signals") as raised:
            run(root, verb, one.study_id)
        assert "\n" not in str(raised.value)
        assert "backtest.question.asked(recorded.question, lambda _: Signals" in str(
            raised.value
        )
    # As the message says.
    recorded = found(root, one.study_id)
    question = asked(recorded.question, lambda _: AsymmetryFilter(entry=rule))
    assert reproduce(root, recorded, question).difference is None
    timed = pl.DataFrame({"time": [at(6 + n + 1) for n in range(LAST - 6)], "side": side})
    for one in (rule, Signals(timed, stop_pct=1.0, max_bars=2)):
        proof = backtest.prove.prove(root, replace(question, strategy=one), 1)
        assert (proof.difference, proof.entries_moved) == (None, False)
        assert "nothing here shows that it did not look ahead" in str(proof)


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
