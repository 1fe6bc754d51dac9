"""This module plays a recorded study again and holds what comes out to what was written."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pyarrow as pa

from backtest.answer import Answer, study_row
from backtest.card import SPANS, code_hash, data_hash, days_read
from backtest.daily import daily_of
from backtest.findings.find import Findings, find
from backtest.findings.ratio import ratio
from backtest.hurdles import hurdles
from backtest.placebos.placebo import placebo_rows
from backtest.placebos.play import play_placebos
from backtest.question import Question
from backtest.recorded import Recorded
from backtest.rows import equity_rows, run_row, trade_rows
from backtest.runs import Run
from backtest.study import Played, Progress, play
from backtest.trials import Trials, read_trials
from backtest.verdict import verdict
from backtest.written import Cell, unlike
from warehouse import open_lake
from warehouse.contracts.table import Table
from warehouse.contracts.tables import (
    BACKTEST_EQUITY,
    BACKTEST_PLACEBOS,
    BACKTEST_RUNS,
    BACKTEST_STUDIES,
    BACKTEST_TRADES,
)
from warehouse.store.lake import Lake
from warehouse.store.parts import by_day

# What tells most comes first.
TABLES = (BACKTEST_TRADES, BACKTEST_EQUITY, BACKTEST_RUNS)


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What came of playing a study again.

    Attributes
    ----------
    study_id
        Which.
    same_data, same_code
        Whether the parts it may read, and the code (of a rule from outside too), have the
        hashes written beside it.
    changed
        Parts that the lake got or replaced since; where the data differ and there are none,
        some were removed.
    files, rows
        What was compared.
    difference
        The first; null: the same bytes.
    today
        What the verdict would be among the trials that the lake knows now; null: it is among
        the same, or those of then were not kept.
    """

    study_id: str
    same_data: bool
    same_code: bool
    changed: tuple[str, ...]
    files: int
    rows: int
    difference: Cell | None
    today: str | None

    def sentences(self) -> Iterator[str]:
        """Yield what there is to say, what may explain a difference first."""
        if not self.same_code:
            yield "The code is not the one that ran."
        if not self.same_data:
            which = ", ".join(self.changed[:5]) or "some were removed"
            more = len(self.changed) - 5
            yield f"The parts it read changed: {which}" + (
                f" and {more} more." if more > 0 else "."
            )
        if self.difference is None:
            yield (
                f"{self.study_id}: the same bytes of runs, trades, equity, placebos, findings "
                f"and verdict, {self.files} files of {self.rows:,} rows."
            )
        else:
            yield f"{self.study_id}: {self.difference}."
        if self.today is not None:
            yield self.today


def reproduce(
    lake: str | Path | Lake,
    recorded: Recorded,
    question: Question,
    progress: Progress | None = None,
) -> Reproduction:
    """Play a study again and compare all that it left with the lake.

    Findings and verdict are made of the trials that it was judged among, which its row keeps:
    whatever was tried since counts for later studies.

    Parameters
    ----------
    lake
        Folder or URL of the lake; nothing is written to it.
    recorded
        Of :func:`backtest.recorded.find_study`.
    question
        The recorded one.
    progress
        Told what is done, how many coins are done, of how many.

    Raises
    ------
    LookupError, ValueError
        If the question can no longer be played, or the trials of then were not kept.
    """
    if recorded.trials is None:
        raise LookupError(
            f"study {recorded.study_id} does not say what trials it was judged among, as "
            "studies of before did not; run the question again"
        )
    with open_lake(lake) as con, tempfile.TemporaryDirectory() as folder:
        same_data = data_hash(con, question) == recorded.data_hash
        changed = () if same_data else tuple(_changed(con, recorded, question))
        played = play(con, question, progress)
        held = Held(con, Path(folder))
        pairs = (
            *_paired(con, recorded.own, played.own),
            *_paired(con, recorded.base, played.base),
        )
        for run_id, runs in pairs:
            for table in TABLES:
                held.to(table, run_id, ROWS[table.name](runs))
        name = recorded.study_id
        drawn = play_placebos(played, progress)
        held.to(BACKTEST_PLACEBOS, name, placebo_rows(name, played, drawn))
        then = Trials.of_json(recorded.trials)
        found = find(played, drawn, then, question.seed, con)
        told = verdict(found)
        hashes = recorded.data_hash, recorded.code_hash
        row = study_row(Answer(name, played, drawn, then, found, told, *hashes))
        held.to(BACKTEST_STUDIES, name, pa.Table.from_pylist([row], BACKTEST_STUDIES.schema))
        return Reproduction(
            recorded.study_id,
            same_data,
            code_hash() == recorded.code_hash and question.as_json() == recorded.question,
            changed,
            held.files,
            held.rows,
            held.difference,
            _today(found, played, then, read_trials(con, question)),
        )


class Held:
    """How what was made again is like what a lake holds.

    Parameters
    ----------
    lake
        Catalog of a lake.
    folder
        Where files may be written.
    """

    def __init__(self, lake: duckdb.DuckDBPyConnection, folder: Path) -> None:
        self.lake, self.folder = lake, folder
        self.files = self.rows = 0
        self.difference: Cell | None = None

    def to(self, table: Table, name: str, rows: pa.Table) -> None:
        """Hold the rows of a run or study to what was written of it; the first unlike stays."""
        made = table.check(rows)
        self.rows += made.num_rows
        self.files += len(list(by_day(table, made)))
        if self.difference is None:
            self.difference = unlike(self.lake, table, name, made, self.folder)


def _today(found: Findings, played: Played, then: Trials, now: Trials) -> str | None:
    """Return what a study would show among the trials of now; null: those are the same."""
    if now == then:
        return None
    pairs = [(run.bars, run.replay) for run in played.of("pessimistic")]
    other = replace(found, ratio=ratio(daily_of(pairs), now))
    said = f"Among the {now.count:,} trials that the lake knows now ({then.count:,} then) "
    # Of the hurdles only the last, the deflated ratio, hangs on the trials.
    was, is_now = (list(hurdles(one))[-1] for one in (found, other))
    stays = verdict(other)[2] == verdict(found)[2]
    return (
        f"{said}{'the verdict stays' if stays else 'it would be: ' + verdict(other)[2]}"
        f"{'' if was == is_now else f' ({is_now.said})'}".removesuffix(".")
        + "."
    )


ROWS: dict[str, Callable[[list[Run]], pa.Table]] = {
    "backtest_runs": lambda runs: pa.Table.from_pylist(
        [run_row(run) for run in runs], BACKTEST_RUNS.schema
    ),
    "backtest_trades": lambda runs: pa.concat_tables(map(trade_rows, runs)),
    "backtest_equity": lambda runs: pa.concat_tables(map(equity_rows, runs)),
}


def _paired(
    lake: duckdb.DuckDBPyConnection, names: tuple[str, ...], runs: list[Run]
) -> Iterator[tuple[str, list[Run]]]:
    """Yield each recorded run, and the readings of the run of the same coin now."""
    coins = dict(
        lake.sql(
            "select run_id, any_value(coin) from backtest_runs "
            "where list_contains($names::varchar[], run_id) group by all",
            params={"names": list(names)},
        ).fetchall()
    )
    for name in names:
        if name not in coins:
            raise LookupError(f"run {name} of the study is no longer in the lake")
        yield name, [run for run in runs if run.coin == coins[name]]


def _changed(
    lake: duckdb.DuckDBPyConnection, recorded: Recorded, question: Question
) -> Iterator[str]:
    """Yield the parts that a study may read and that came or went since it was written."""
    found = lake.sql(
        f"""
        {SPANS},

        written as (
            select max(p.received_ts) as moment
            from parts as p
            where p.table_name = 'backtest_studies' and p.part = $study
        )

        select p.table_name, p.day, p.part, p.revision
        from parts as p
        inner join spans as s on p.table_name = s.table_name
        cross join written as w
        where
            p.day <= $last and (s.first is null or p.day >= s.first)
            and (p.received_ts > w.moment or p.superseded_ts > w.moment)
        order by all
        """,
        params={**days_read(question), "study": recorded.study_id},
    ).fetchall()
    for table, day, part, revision in found:
        yield f"{table} {day} {part}" + (f" (revision {revision})" if revision > 1 else "")
