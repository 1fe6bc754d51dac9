"""This module answers questions: replays, placebos, statistics, a verdict, and their rows."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from backtest.bars import as_utc
from backtest.card import code_hash, data_hash, study_id
from backtest.findings.find import Findings, find
from backtest.placebos.placebo import Placebo, placebo_rows
from backtest.placebos.play import play_placebos
from backtest.question import Question
from backtest.rows import put_runs
from backtest.study import Played, Progress, Shelf, play
from backtest.trials import Trials, land_trials, put_trials, read_trials, trials_of
from backtest.verdict import verdict
from warehouse.catalog import open_lake
from warehouse.contracts.tables import BACKTEST_PLACEBOS, BACKTEST_STUDIES
from warehouse.store import landing


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question, and its card.

    Attributes
    ----------
    study_id
        Hash of question, data and code.
    played
        The replays.
    placebos
        What came of the rule's placebos.
    trials
        What it was judged among.
    findings, verdict
        Statistics, and what they show in words, one sentence each.
    data_hash, code_hash
        Of the parts of the lake that were read, and of the code that ran.
    """

    study_id: str
    played: Played
    placebos: list[Placebo]
    trials: Trials
    findings: Findings
    verdict: list[str]
    data_hash: str
    code_hash: str


def answer(
    lake: duckdb.DuckDBPyConnection | Path | str,
    questions: Sequence[Question],
    progress: Progress | None = None,
) -> list[Answer]:
    """Answer questions; each is a trial for all the others.

    Parameters
    ----------
    lake
        Where a lake is: what was tried is written into its ledger of trials, and nothing else,
        for who has seen an answer has tried.  Or its catalog: nothing is written, which is for
        who lands the answers.
    questions
        What is asked.
    progress
        Told what is being done, how much of it is done, of how much.

    Raises
    ------
    LookupError
        If there are no such bars, an hour's funding is missing, or slippage is not known in a
        bar in which an order may fill.
    ValueError
        If an argument is not allowed.
    """
    if not isinstance(lake, duckdb.DuckDBPyConnection):
        with open_lake(lake) as con:
            found = answer(con, questions, progress)
        land_trials(lake, [row for one in found for row in trials_of(one.played)])
        return found
    # Rules that look back as far see the same tapes, and maps that are read are kept there.
    shelf: Shelf = {}
    played = [play(lake, question, progress, shelf) for question in questions]
    tried = [row for one in played for row in trials_of(one)]
    code = code_hash()
    return [_answer(lake, one, tried, code, progress) for one in played]


def _answer(
    lake: duckdb.DuckDBPyConnection,
    played: Played,
    tried: Sequence[dict[str, object]],
    code: str,
    progress: Progress | None,
) -> Answer:
    question = played.question
    placebos = play_placebos(played, progress)
    trials = read_trials(lake, question, tried)
    findings = find(played, placebos, trials, question.seed, lake)
    data = data_hash(lake, question)
    return Answer(
        study_id(question, data, code),
        played,
        placebos,
        trials,
        findings,
        verdict(findings),
        data,
        code,
    )


def land_answers(root: Path | str, answers: Sequence[Answer]) -> list[Any]:
    """Write answers into the lake, all or none; the same answer replaces itself.

    Parameters
    ----------
    root
        Folder of the lake.
    answers
        Of :func:`answer`.

    Returns
    -------
    list
        Where their parts lie.
    """
    with landing(root) as batches:
        put_runs(batches, _once([run for one in answers for run in one.played.runs]))
        put_trials(batches, [row for one in answers for row in trials_of(one.played)])
        for one in answers:
            rows = pa.Table.from_pylist([study_row(one)], BACKTEST_STUDIES.schema)
            batches.land(BACKTEST_STUDIES, rows, one.study_id)
            held = placebo_rows(one.study_id, one.played, one.placebos)
            if held.num_rows:
                batches.land(BACKTEST_PLACEBOS, held, one.study_id)
    return [place for places in batches.places.values() for place in places]


def _once(runs: Sequence[Any]) -> list[Any]:
    """Return every run once: studies share the rule without the map."""
    return list({(run.run_id, run.replay.bound): run for run in runs}.values())


def study_row(one: Answer) -> dict[str, object]:
    """Return the row of ``backtest_studies``."""
    played, question = one.played, one.played.question
    strategy, subject = question.strategy, one.findings.subject
    named = {
        kind: list(dict.fromkeys(run.run_id for run in runs))
        for kind, runs in (("own", played.own), ("base", played.base))
    }
    return {
        "study_id": one.study_id,
        "strategy": strategy.rule,
        "variant": strategy.variant,
        "coins": ",".join(question.coins),
        "start_ts": question.since,
        "end_ts": question.until,
        "question": question.as_json(),
        "runs": json.dumps(named, sort_keys=True),
        "data_hash": one.data_hash,
        "code_hash": one.code_hash,
        "seed": question.seed,
        "verdict": "\n".join(one.verdict),
        "findings": one.findings.as_json(),
        "trials": one.trials.as_json(),
        "notes": "\n".join((*played.gaps, *played.notes)),
        "assumptions": "\n".join(played.assumptions),
        "source": subject.source,
        "known_ts": as_utc(max(run.bars.end[-1] for run in played.own)),
    }
