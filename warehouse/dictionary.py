"""This module makes the data dictionary: every relation and macro, and what each column means.

Nothing is written down here.  Tables say it in their contracts, views and macros in their
headers; columns and types are those that DuckDB gives of an empty lake.
"""

import tempfile
from collections.abc import Iterator

import duckdb

from warehouse.calls import call, parameters
from warehouse.catalog import Definition, definitions, open_lake
from warehouse.contracts.asks import ASKS
from warehouse.contracts.coins import COINS
from warehouse.contracts.gaps import GAPS
from warehouse.contracts.ledger import PARTS
from warehouse.contracts.table import Table
from warehouse.contracts.tables import TABLES
from warehouse.dictionary_entries import LANDED, NEVER, NONE, ColumnEntry, Entry
from warehouse.headers import VALUE, Header, header
from warehouse.lineage import explained

# What the catalog shows of the ledgers, and what follows from them.
OF_THE_LEDGER = (PARTS, ASKS, COINS, GAPS)


def dictionary() -> list[Entry]:
    """Return every table, view, table macro and macro; each kind in order of name.

    Tables stand in the order of the contracts.

    Raises
    ------
    HeaderError
        If a header does not say of every column what it is, or tells of one that there is not.
    LookupError
        If a macro must be given a parameter of which nothing is known, or a contract does not
        say what null means.
    """
    with tempfile.TemporaryDirectory(prefix="undertow-") as folder, open_lake(folder) as con:
        tables = [_table(con, table) for table in (*TABLES, *OF_THE_LEDGER)]
        made = {one.name: _made(con, one) for one in definitions()}
    known = explained(tables, made)
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
        says, null = parted(doc) if field.nullable else (doc, NEVER)
        if not says or not null:
            raise LookupError(f"{table.name}.{field.name}: say what it is, and what null means")
        columns.append(
            ColumnEntry(
                field.name,
                types[field.name],
                unit or NONE,
                null,
                says,
                formulas.get(field.name, LANDED),
            )
        )
    return Entry(table.name, "table", table.doc, ", ".join(table.grain), (), (), tuple(columns))


def parted(doc: str) -> tuple[str, str]:
    """Return what a contract says of a column, and what null means; empty: it does not say.

    >>> parted("at the mark; null: not given; at the block's end")
    ("at the mark; at the block's end", 'not given')
    """
    parts = doc.split("; ")
    null = [part for part in parts if part.startswith("null: ")]
    says = "; ".join(part for part in parts if part not in null)
    return says, "; ".join(part.removeprefix("null: ") for part in null)


def _made(con: duckdb.DuckDBPyConnection, made: Definition) -> tuple[Entry, Header]:
    said = header(made.name, made.purpose)
    columns: Iterator[tuple[str, str]] = iter([(VALUE, "")])
    if made.kind != "macro":
        query = f"from {made.name}" if made.kind == "view" else call(made)
        columns = _typed(con, query)
    entry = Entry(
        made.name,
        made.kind,
        said.purpose,
        said.grain,
        said.reads,
        tuple(parameters(made)),
        tuple(ColumnEntry(name, kind, "", "", "", "") for name, kind in columns),
    )
    return entry, said


def _typed(con: duckdb.DuckDBPyConnection, query: str) -> Iterator[tuple[str, str]]:
    relation = con.sql(query)
    return zip(relation.columns, map(str, relation.types), strict=True)
