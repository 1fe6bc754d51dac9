"""This module turns a folder of Parquet and the ``.sql`` files beside it into a catalog.

The catalog is a DuckDB connection in memory, rebuilt in milliseconds each time: Parquet is the
only thing that lasts, so there is nothing to migrate and nothing to lock.
"""

import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import duckdb

from warehouse.contracts.table import Table, empty
from warehouse.contracts.tables import TABLES

SQL = files("warehouse") / "sql"


class NoLake(FileNotFoundError):
    """There is no lake where one was asked for."""


class Definition(NamedTuple):
    """One ``.sql`` file: what it makes, and of what kind."""

    name: str
    kind: str  # "view", "macro" or "table macro"
    parameters: str  # as in `coin, "at", width_pct := 0.5`; empty for a view
    body: str
    purpose: str


def open_lake(path: str | Path) -> duckdb.DuckDBPyConnection:
    """Open a lake and return a connection with its tables, views and macros.

    Parameters
    ----------
    path
        Folder of the lake.  An empty folder is a lake whose tables are empty.

    Raises
    ------
    NoLake
        If there is no such folder, or it holds other things and no table.

    Notes
    -----
    The session's time zone is UTC, so that a timestamp without a zone means UTC.
    """
    root = Path(path)
    if not _is_lake(root):
        raise NoLake(f"no lake at {path}: `undertow ingest` or `undertow demo` makes one")
    con = duckdb.connect()
    con.execute("set timezone = 'UTC'")
    con.execute("set enable_progress_bar = false")
    attach(con, root)
    build(con)
    return con


def _is_lake(root: Path) -> bool:
    """Return whether ``root`` is a folder that holds a table, or nothing yet."""
    if not root.is_dir():
        return False
    names = {entry.name for entry in root.iterdir() if not entry.name.startswith(".")}
    return not names or bool(names & {table.name for table in TABLES})


def attach(con: duckdb.DuckDBPyConnection, root: Path) -> None:
    """Expose every table of the lake under its own name, empty or not.

    DuckDB refuses a view over files that are not there yet; until a table has files, its view
    reads an empty relation in the schema ``promised``.
    """
    con.execute("create schema if not exists promised")
    for table in TABLES:
        rows = empty(table)  # noqa: F841  read by name in the SQL below
        con.execute(f"create or replace table promised.{table.name} as from rows")
        # Qualified: DuckDB 2.0 lets a macro's parameter named as a column leak into the views
        # it reads ("Conflicting column names"), unless the view says whose column it means.
        columns = ", ".join(f"part.{name}" for name in table.promised.names)
        con.execute(
            f"create or replace view {table.name} as "
            f"select {columns} from {_origin(root, table)} as part"
        )
        con.execute(f"comment on view {table.name} is {quoted(table.purpose)}")
        for field in table.promised:
            con.execute(
                f"comment on column {table.name}.{field.name} is {quoted(_column_doc(field))}"
            )


def _origin(root: Path, table: Table) -> str:
    """Return what the view of ``table`` reads: its files, or the empty relation."""
    folder = root / table.name
    if next(folder.glob("day=*/*.parquet"), None) is None:
        return f"promised.{table.name}"
    pattern = f"{_as_pattern(folder)}/day=*/*.parquet"
    return f"read_parquet({quoted(pattern)}, hive_types = {{'day': date}})"


def _as_pattern(folder: Path) -> str:
    """Return the folder's path with the characters that a glob would expand made literal."""
    return re.sub(r"([*?\[])", r"[\1]", str(folder.resolve()))


def _column_doc(field: object) -> str:
    metadata = {key.decode(): value.decode() for key, value in field.metadata.items()}  # type: ignore[attr-defined]
    return f"{metadata['doc']} [{metadata['unit']}]" if metadata["unit"] else metadata["doc"]


def quoted(text: str) -> str:
    """Return ``text`` as a SQL string."""
    return "'" + text.replace("'", "''") + "'"


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
    header = [line.removeprefix("--").strip() for line in lines[:count]]
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
    """Create every macro and view, in whatever order their references demand.

    Raises
    ------
    LookupError
        If some still read a relation or macro that does not exist.
    """
    waiting = {made.name: made for made in definitions()}
    built: list[str] = []
    while waiting:
        missing: dict[str, duckdb.Error] = {}
        for made in waiting.values():
            try:
                con.execute(_statement(made))
            except (duckdb.CatalogException, duckdb.BinderException) as error:
                missing[made.name] = error
                continue
            what = made.kind.replace("table macro", "macro table")
            con.execute(f"comment on {what} {made.name} is {quoted(made.purpose)}")
            built.append(made.name)
        if len(missing) == len(waiting):
            causes = "\n".join(f"{name}: {error}" for name, error in missing.items())
            raise LookupError(f"definitions that cannot be bound:\n{causes}")
        waiting = {name: waiting[name] for name in missing}
    return built


def _statement(made: Definition) -> str:
    if made.kind == "view":
        return f"create or replace view {made.name} as {made.body}"
    table = "table " if made.kind == "table macro" else ""
    return f"create or replace macro {made.name}({made.parameters}) as {table}{made.body}"
