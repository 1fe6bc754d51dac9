"""This module turns a folder of Parquet and the ``.sql`` files beside it into a catalog.

The catalog is a DuckDB connection in memory, there in milliseconds each time: Parquet is the
only thing that lasts, so there is nothing to migrate and nothing to lock.  What is the same in
every lake is made once and copied (:mod:`warehouse.blank`).
"""

import re
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import duckdb
from duckdb import DuckDBPyConnection as Connection

from warehouse import attach as attaching
from warehouse.attach import LEDGERS, attach, promise, quoted
from warehouse.blank import fill
from warehouse.contracts.tables import TABLES
from warehouse.health.batches import COLUMNS
from warehouse.health.gaps_table import show_gaps
from warehouse.store.lake import Lake, NoLake

SQL = files("warehouse") / "sql"
# A macro's name before its arguments, or a view's after `from` or `join`.
CALLED = re.compile(r"\b(\w+)(?=\()|(?:from|join) (\w+)")

MAKERS = (Path(__file__), Path(attaching.__file__))


class Definition(NamedTuple):
    """One ``.sql`` file: what it makes, and of what kind."""

    name: str
    kind: str  # "view", "macro" or "table macro"
    parameters: str  # as in `coin, "at", width_pct := 0.5`; empty for a view
    body: str
    purpose: str


def open_lake(path: str | Path | Lake) -> Connection:
    """Open a lake and return a connection with its tables, views and macros.

    Parameters
    ----------
    path
        Folder or ``s3://`` URL of the lake.  An empty folder is a lake whose tables are empty.

    Raises
    ------
    NoLake
        If there is no such folder, or it holds other things and no lake.

    Notes
    -----
    The session's time zone is UTC, so that a timestamp without a zone means UTC.  A connection
    shows the lake as it was when it was opened.  A compaction removes the files it replaced a
    minute later: who holds a connection for longer calls :func:`refresh` now and then.  A file
    that is lost stops the questions that need it, with one line that names it.
    """
    lake = Lake.at(path)
    # Who watches what a program reaches hears of it (:mod:`backtest.proof.watch`).
    sys.audit("undertow.open_lake", lake.readable)
    if not lake.exists():
        raise NoLake(f"no lake at {path}: `undertow ingest` or `undertow demo` makes one")
    con = duckdb.connect()
    con.execute("set timezone = 'UTC'")
    con.execute("set enable_progress_bar = false")
    fill(con, _told(), _blank)
    _show(con, lake)
    con.execute("create table promised.lake as select $1 as root", [lake.readable])
    return con


def _blank(con: Connection) -> None:
    """Give a connection the catalog of a lake without rows."""
    promise(con)
    build(con)


def _told() -> Iterator[bytes | str]:
    """Yield everything that decides what :func:`_blank` makes."""
    yield from (path.read_bytes() for path in MAKERS)
    for table in (*TABLES, *LEDGERS):
        yield f"{table.name} {table.purpose} {table.derived}"
        yield table.promised.serialize().to_pybytes()
    yield from (repr(made) for made in definitions())


def refresh(con: Connection) -> None:
    """Let a connection of :func:`open_lake` show the lake as it is now.

    Views, macros and tables of one's own stay.

    Raises
    ------
    ValueError
        If the connection is another one.
    """
    try:
        ((root,),) = con.sql("select root from promised.lake").fetchall()
    except duckdb.CatalogException as error:
        raise ValueError("refresh: the connection is none of open_lake") from error
    _show(con, Lake.at(root), again=True)


def _show(con: Connection, lake: Lake, again: bool = False) -> None:
    """Give a connection the tables of a lake, and what they lack."""
    attach(con, lake, again)
    show_gaps(con, con.sql(f"select {', '.join(COLUMNS)} from parts").to_arrow_table())


def definitions(kind: str | None = None) -> Iterator[Definition]:
    """Yield what the ``.sql`` files define, in order of path.

    The folder says the kind (``views``, ``macros``).  A macro's header has a line
    ``-- macro: name(parameters)`` for a scalar, ``-- table macro: …`` for a table.
    """
    for folder in ("macros", "views"):
        for file in sorted((SQL / folder).iterdir(), key=lambda entry: entry.name):
            if file.name.endswith(".sql"):
                made = _definition(folder, file.name.removesuffix(".sql"), file.read_text())
                if kind is None or made.kind == kind:
                    yield made


def _definition(folder: str, name: str, text: str) -> Definition:
    lines = text.splitlines()
    count = next((i for i, line in enumerate(lines) if not line.startswith("--")), len(lines))
    # What a line is indented by says that it goes on with the line before.
    header = [line.removeprefix("--").removeprefix(" ").rstrip() for line in lines[:count]]
    body = "\n".join(lines[count:]).strip().rstrip(";")
    kind, parameters = folder.removesuffix("s"), ""
    if folder == "macros":
        signature = next(line for line in header if line.startswith(("macro:", "table macro:")))
        kind, _, call = signature.partition(": ")
        header.remove(signature)
        declared, _, parameters = call.strip().removesuffix(")").partition("(")
        if declared != name:
            raise ValueError(f"{name}.sql declares {declared}")
    return Definition(name, kind, parameters, body, "\n".join(header).strip())


def build(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Create every macro and view, each after what it reads, and return their names.

    Raises
    ------
    graphlib.CycleError
        If some read each other.
    LookupError
        If one reads a relation or macro that does not exist; names it.
    """
    made = {one.name: one for one in definitions()}
    reads = {name: _called(one.body) & made.keys() for name, one in made.items()}
    built = list(TopologicalSorter(reads).static_order())
    for name in built:
        one = made[name]
        try:
            con.execute(_statement(one))
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise LookupError(f"{name}: {error}") from error
        what = one.kind.replace("table macro", "macro table")
        con.execute(f"comment on {what} {name} is {quoted(one.purpose)}")
    return built


def _called(body: str) -> set[str]:
    """Return the names that SQL may read.

    >>> sorted(_called("select f(a) from g(1) as b cross join c"))
    ['c', 'f', 'g']
    """
    return {name for found in CALLED.findall(body) for name in found if name}


def _statement(made: Definition) -> str:
    if made.kind == "view":
        return f"create or replace view {made.name} as {made.body}"
    table = "table " if made.kind == "table macro" else ""
    return f"create or replace macro {made.name}({made.parameters}) as {table}{made.body}"
