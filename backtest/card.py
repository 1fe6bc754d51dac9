"""This module names a study: by its question, the rows it may read and the code that ran."""

import hashlib
import json
from datetime import date, datetime, timedelta
from importlib.resources import files
from importlib.resources.abc import Traversable

import duckdb

from backtest.bars import as_utc
from backtest.intervals import reaching_back, width_of
from backtest.question import Question

DAY = timedelta(days=1)

# How far before its first bar a study may read each table.  Null: any day before, for the
# newest row stands however old it is, and an incident may last.  Candles: volatility of a day.
# Fills and what goes with them: the norm of the 7 days before, which cascades ask for from a
# day before.  Levels and margin errors are made from these rows, so their parts are not named;
# nor are those of what backtests leave: how many trials there were is no row of the market.
LOOKBACK: dict[str, timedelta | None] = {
    "positions": None,
    "snapshots": None,
    "accounts": None,
    "instruments": None,
    "candles": DAY,
    "fills": 8 * DAY,
    "asset_contexts": 8 * DAY,
    "funding": 8 * DAY,
    "order_books": 8 * DAY,
    "incidents": None,
}
PACKAGES = ("backtest", "warehouse")
SOURCES = (".py", ".sql")


def first_bar(question: Question) -> datetime:
    """Return the earliest start of a bar that signals may look at.

    Twice the warm-up is read before the period, for there may be holes in it.
    """
    without = question.strategy.without_map()
    warmup = max(question.strategy.warmup, 0 if without is None else without.warmup)
    width = width_of(question.interval)
    return as_utc(reaching_back(question.period[0], 2 * warmup, width))


def data_hash(lake: duckdb.DuckDBPyConnection, question: Question) -> str:
    """Return the hash of the parts of a lake that a study may read.

    Parameters
    ----------
    lake
        Catalog of a lake.
    question
        What is asked.

    Notes
    -----
    Of a part: table, day, name, revision, SHA-256 of its rows' file, and of a correction when
    it could be known, for answers depend on it.  When a lake got a part, and where its file
    lies, changes nothing.  What sources were asked for in vain is in it too, for it tells hours
    without fills from hours that nobody knows.
    """
    digest = hashlib.sha256()
    for query in (PARTS_READ, ASKS_READ):
        for line in lake.sql(query, params=days_read(question)).fetchall():
            digest.update(json.dumps(line, default=str).encode())
    return digest.hexdigest()


# One row a table of $tables; a null day is any day before.
SPANS = """
    with spans as (
        select unnest($tables::varchar[]) as table_name, unnest($firsts::date[]) as first
    )
"""
PARTS_READ = f"""
    {SPANS}
    select p.table_name, p.day, p.part, p.revision, p.hash, p.since_ts, p.superseded_ts
    from parts as p
    inner join spans as s on p.table_name = s.table_name
    where p.day <= $last and (s.first is null or p.day >= s.first)
    order by p.table_name, p.day, p.part, p.revision
"""
ASKS_READ = f"""
    {SPANS}
    select a.table_name, a.source, a.day, a.hour, a.outcome
    from asks as a
    inner join spans as s on a.table_name = s.table_name
    where a.table_name = 'fills' and a.day <= $last and a.day >= s.first
    order by all
"""


def days_read(question: Question) -> dict[str, object]:
    """Return the tables of a study, the first day of each, and the last of all."""
    first = first_bar(question)
    firsts: list[date | None] = [
        None if back is None else (first - back).date() for back in LOOKBACK.values()
    ]
    last = (question.until - timedelta(microseconds=1)).date()
    return {"tables": list(LOOKBACK), "firsts": firsts, "last": last}


def code_hash() -> str:
    """Return the hash of the sources of ``backtest`` and ``warehouse``, Python and SQL."""
    digest = hashlib.sha256()
    for package in PACKAGES:
        for name, file in sorted(_sources(files(package), package)):
            digest.update(name.encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _sources(folder: Traversable, name: str) -> list[tuple[str, Traversable]]:
    found = []
    for entry in folder.iterdir():
        inner = f"{name}/{entry.name}"
        if entry.is_dir():
            found += _sources(entry, inner)
        elif entry.name.endswith(SOURCES):
            found.append((inner, entry))
    return found


def study_id(question: Question, data: str, code: str) -> str:
    """Return the name of a study: the same question of the same rows and code, and no other.

    Parameters
    ----------
    question
        What is asked.
    data, code
        Of :func:`data_hash` and :func:`code_hash`.
    """
    said = json.dumps([question.as_json(), data, code])
    return hashlib.sha256(said.encode()).hexdigest()[:16]
