"""This module makes the data dictionary: every relation and macro, and what each column means.

Nothing is written down here.  Tables say it in their contracts, views and macros in their
headers; columns and types are those that DuckDB gives of an empty lake.
"""

import tempfile
from collections.abc import Iterator
from typing import NamedTuple

import duckdb

from warehouse.calls import Parameter, call, parameters
from warehouse.catalog import Definition, definitions, open_lake
from warehouse.contracts.asks import ASKS
from warehouse.contracts.gaps import GAPS
from warehouse.contracts.ledger import PARTS
from warehouse.contracts.table import Table
from warehouse.contracts.tables import TABLES
from warehouse.headers import (
    Header,
    alike,
    header,
    parted,
    sayings,
    unit_by_name,
    unit_of,
)

# What the catalog shows of the ledgers, and what follows from them.
OF_THE_LEDGER = (PARTS, ASKS, GAPS)


class ColumnEntry(NamedTuple):
    """One column.

    Attributes
    ----------
    name, type
        As DuckDB gives them.
    unit
        Empty: it has none, or none is said.
    null
        What null means; "never" of a column of a table that has none; empty: nothing is said.
    says
        In words.
    origin
        Of a derived column its formula; of one that a view or macro passes on, the column of a
        table that it has its unit from, as ``table.column``.
    """

    name: str
    type: str
    unit: str
    null: str
    says: str
    origin: str


class Entry(NamedTuple):
    """One relation or macro.

    Attributes
    ----------
    kind
        ``table``, ``view``, ``table macro`` or ``macro``.
    columns
        None of a scalar macro.
    parameters
        None of a table or view.
    units
        All that its header says of units and of null.
    """

    name: str
    kind: str
    purpose: str
    grain: str
    reads: tuple[str, ...]
    units: str
    parameters: tuple[Parameter, ...]
    columns: tuple[ColumnEntry, ...]


def dictionary() -> list[Entry]:
    """Return every table, view, table macro and macro; each kind in order of name.

    Tables stand in the order of the contracts.

    Raises
    ------
    LookupError
        If a macro must be given a parameter of which nothing is known.
    """
    with tempfile.TemporaryDirectory(prefix="undertow-") as folder, open_lake(folder) as con:
        tables = [_table(con, table) for table in (*TABLES, *OF_THE_LEDGER)]
        made = {one.name: _made(con, one) for one in definitions()}
    known = {entry.name: entry for entry in tables}
    for name in made:
        _finish(name, made, known)
    kinds = ("view", "table macro", "macro")
    others = [known[name] for kind in kinds for name in made if known[name].kind == kind]
    return tables + others


def _table(con: duckdb.DuckDBPyConnection, table: Table) -> Entry:
    # The ledgers' relations have no partition to filter on.
    shown = table.schema if table in OF_THE_LEDGER else table.promised
    formulas = {one.name: one.sql.replace("part.", "") for one in table.derived}
    types = dict(_typed(con, f"from {table.name}"))
    columns = []
    for field in shown:
        doc, unit = (field.metadata[key].decode() for key in (b"doc", b"unit"))
        says, null = parted(doc)
        columns.append(
            ColumnEntry(
                field.name,
                types[field.name],
                unit,
                null if field.nullable else "never",
                says,
                formulas.get(field.name, ""),
            )
        )
    return Entry(
        table.name, "table", table.doc, ", ".join(table.grain), (), "", (), tuple(columns)
    )


def _made(con: duckdb.DuckDBPyConnection, made: Definition) -> tuple[Entry, Header]:
    said = header(made.purpose)
    columns: Iterator[tuple[str, str]] = iter(())
    if made.kind != "macro":
        query = f"from {made.name}" if made.kind == "view" else call(made)
        columns = _typed(con, query)
    entry = Entry(
        made.name,
        made.kind,
        said.purpose,
        said.grain,
        said.reads,
        said.units,
        tuple(parameters(made)),
        tuple(ColumnEntry(name, kind, "", "", "", "") for name, kind in columns),
    )
    return entry, said


def _typed(con: duckdb.DuckDBPyConnection, query: str) -> Iterator[tuple[str, str]]:
    relation = con.sql(query)
    return zip(relation.columns, map(str, relation.types), strict=True)


def _finish(
    name: str, made: dict[str, tuple[Entry, Header]], known: dict[str, Entry]
) -> Entry | None:
    """Say of the columns of ``name`` what its header says, and units of what it reads."""
    if name in known or name not in made:
        return known.get(name)
    entry, said = made[name]
    # A header that says "as positions_at" means it before all that it reads.
    read = [_finish(other, made, known) for other in (*alike(said.units), *said.reads)]
    told = sayings(said.units, [column.name for column in entry.columns])
    columns = [_say(column, told.get(column.name, ""), read) for column in entry.columns]
    known[name] = entry._replace(columns=tuple(columns))
    return known[name]


def _say(column: ColumnEntry, words: str, read: list[Entry | None]) -> ColumnEntry:
    """Return a column with its unit: from its header, from what is read, or from its name."""
    says, null = parted(words)
    unit = unit_of(words)
    if says in {unit, "coins"}:
        says = ""
    if words:
        return column._replace(unit=unit or unit_by_name(column.name), null=null, says=says)
    for other in read:
        source = {one.name: one for one in other.columns}.get(column.name) if other else None
        # One name has one unit everywhere; what is of another type is another thing.
        if other and source and source.type == column.type:
            passed = (
                source.origin if _is_place(source.origin) else f"{other.name}.{column.name}"
            )
            return column._replace(unit=source.unit, origin=passed)
    return column._replace(unit=unit_by_name(column.name))


def _is_place(origin: str) -> bool:
    return origin.count(".") == 1 and " " not in origin
