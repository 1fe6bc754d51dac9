"""This module shows a connection the tables of a lake, as the ledger lists their parts.

Each table has two views.  ``TABLE`` holds what counts today.  ``TABLE_versions`` holds what a
correction replaced too, with ``since_ts`` and ``superseded_ts``: the span in which a part was
what could be known (see the macro ``stands``).

Views and their descriptions are the same in every lake (:func:`promise`); they read views of
the same names in the schema ``listed``, which name the files of this one (:func:`attach`).
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.contracts.coins import COINS
from warehouse.contracts.ledger import PARTS
from warehouse.contracts.table import Table, empty
from warehouse.contracts.tables import SNAPSHOTS, TABLES
from warehouse.lost import parted, tell_lost, with_lost
from warehouse.marts.made_of import current
from warehouse.store import asks, ledger
from warehouse.store.book import Book
from warehouse.store.coins import coins_of
from warehouse.store.lake import Lake

# Of the ledger, what reading the parts takes.
LISTED = ("table_name", "day", "path", "contract", "source", "since_ts", "superseded_ts")

# Every map asks which snapshot answers.  Measured on 365 of them, one a day: 60 ms a map from
# their files, 1 ms from memory, where they are after 40 ms.
HELD = (SNAPSHOTS,)
BOOKS = (ledger.LINES, asks.LINES)
LEDGERS = (*(book.table for book in BOOKS), COINS)


def promise(con: duckdb.DuckDBPyConnection) -> None:
    """Give a connection the tables of a lake that has no rows, and what is said of them.

    Parameters
    ----------
    con
        Connection to an empty database.
    """
    con.execute("create schema promised; create schema listed")
    for table in LEDGERS:
        show_lines(con, table, table.schema.empty_table(), ())
        columns = ", ".join(f"line.{name}" for name in table.schema.names)
        name = table.name
        con.execute(f"create view {name} as select {columns} from listed.{name} as line")
        describe(con, name, table.purpose, table.schema)
    for table in TABLES:
        nothing = empty(table)  # noqa: F841  read by name in the SQL below
        con.execute(f"create table promised.{table.name} as from nothing")
        show(con, table, *relations(str, table, PARTS.schema.empty_table()))
        columns = ", ".join(f"part.{name}" for name in table.promised.names)
        con.execute(
            f"create view {table.name} as select {columns} from listed.{table.name} as part; "
            f"create view {table.name}_versions as select {columns}, "
            f"part.since_ts, part.superseded_ts from listed.{table.name}_versions as part"
        )
        describe(con, table.name, table.purpose, table.promised)
        grain = ", ".join((*table.grain, "since_ts"))
        purpose = f"All versions of {table.name}, corrected ones too: see stands.\n\n"
        purpose += f"grain: {grain}"
        con.execute(f"comment on view {table.name}_versions is {quoted(purpose)}")


def attach(con: duckdb.DuckDBPyConnection, lake: Lake, again: bool = False) -> None:
    """Let every table of :func:`promise` show the lake as it is now.

    Parameters
    ----------
    con
        Connection of :func:`promise`.
    lake
        Where the parts' files are.
    again
        Whether the connection may show something already, else what is empty stays as it is.
    """
    lost = lake.connect(con)
    for book in BOOKS:
        show_book(con, lake, book)
    # After the parts: a coin is known before a part of it is listed.
    show_lines(con, COINS, coins_of(lake), ())
    lines = con.sql(
        f"select {', '.join(LISTED)}, min(min_ts) as min_ts, max(max_ts) as max_ts "
        f"from {PARTS.name} group by all"
    )
    held = lines.order("table_name, day, path").to_arrow_table()
    held, days = current(held)
    con.register("days", days)
    con.execute("create or replace table promised.levels_days as from days")
    con.unregister("days")
    held, missing = parted(held, lost(pc.unique(held["path"]).to_pylist()))
    tell_lost(con, lake, missing)
    listed = pc.unique(held["table_name"]).to_pylist()
    listed += pc.unique(missing["table_name"]).to_pylist()
    for table in TABLES:
        if not (again or table.name in listed):
            continue
        some = held.filter(pc.equal(held["table_name"], table.name))
        now, versions = relations(lake.pattern, table, some)
        if pc.any(pc.equal(missing["table_name"], table.name)).as_py():
            now, versions = with_lost(table, now, versions)
        elif table in HELD and some.num_rows:
            now, versions = _kept(con, table, now, versions)
        show(con, table, now, versions)


def _kept(
    con: duckdb.DuckDBPyConnection, table: Table, now: str, versions: str
) -> tuple[str, str]:
    """Read a table's rows once, and return the selects of them."""
    show(con, table, now, versions)
    con.execute(
        f"create or replace table promised.{table.name}_held as "
        f"from listed.{table.name}_versions"
    )
    every = f"from promised.{table.name}_held as held"
    columns = ", ".join(f"held.{name}" for name in table.promised.names)
    return (
        f"select {columns} {every} where held.superseded_ts is null",
        f"select held.* {every}",
    )


def show_book(con: duckdb.DuckDBPyConnection, lake: Lake, book: Book) -> None:
    """Expose a ledger; its pages are read when somebody asks for them."""
    state = book.state(lake.read(book.path))
    pages = []
    if state.pages:
        files = ", ".join(quoted(lake.pattern(path)) for path in state.pages)
        # A day that changed since its page was made lies in the book's file.
        days = ", ".join(f"'{day}'" for held in state.pages.values() for day in sorted(held))
        pages.append(
            f"from read_parquet([{files}]) as line "
            f"where line.day in (select unnest([{days}]::date[]))"
        )
    show_lines(con, book.table, state.lines, pages)


def show_lines(
    con: duckdb.DuckDBPyConnection, table: Table, lines: pa.Table, pages: Sequence[str]
) -> None:
    """Create the view of a ledger's lines, and of those that lie in pages."""
    # Qualified, as in _select.
    columns = ", ".join(f"line.{name}" for name in table.schema.names)
    con.register("lines", lines)
    con.execute(f"create or replace table promised.{table.name} as from lines")
    con.unregister("lines")
    selects = [
        f"select {columns} {held}" for held in (f"from promised.{table.name} as line", *pages)
    ]
    con.execute(f"create or replace view listed.{table.name} as {_union(selects)}")


def show(con: duckdb.DuckDBPyConnection, table: Table, current: str, versions: str) -> None:
    """Create the two views of a table over the relations they read."""
    con.execute(
        f"create or replace view listed.{table.name} as {current}; "
        f"create or replace view listed.{table.name}_versions as {versions}"
    )


def describe(
    con: duckdb.DuckDBPyConnection, name: str, purpose: str, schema: pa.Schema
) -> None:
    """Say of a relation and its columns what the contract says."""
    said = [f"comment on view {name} is {quoted(purpose)}"]
    said += [f"comment on column {name}.{one.name} is {quoted(_doc(one))}" for one in schema]
    con.execute("; ".join(said))


def quoted(text: str) -> str:
    """Return ``text`` as a SQL string."""
    return "'" + text.replace("'", "''") + "'"


def _doc(field: pa.Field) -> str:
    metadata = {key.decode(): value.decode() for key, value in field.metadata.items()}
    return f"{metadata['doc']} [{metadata['unit']}]" if metadata["unit"] else metadata["doc"]


def relations(pattern: Callable[[str], str], table: Table, held: pa.Table) -> tuple[str, str]:
    """Return what counts today, and all versions, as selects.

    Parameters
    ----------
    pattern
        Path of a part -> what DuckDB opens to read exactly that file.
    table
        Contract of the rows.
    held
        Lines of the ledger, of this table.
    """
    none = "null::timestamptz as since_ts, null::timestamptz as superseded_ts"
    if not held.num_rows:
        current = _select(table, f"promised.{table.name}")
        return current, f"select *, {none} from ({current})"
    current = held.filter(pc.is_null(held["superseded_ts"]))
    twice = _told_twice(table, current)
    if not twice and not pc.any(pc.is_valid(held["since_ts"])).as_py():
        return _read(pattern, table, current), f"select *, {none} from {table.name}"
    doubled = pc.is_in(current["day"], pa.array(twice, pa.date32()))
    selects = [_read(pattern, table, current.filter(pc.invert(doubled)))]
    if twice:
        selects.append(_once(table, _read(pattern, table, current.filter(doubled))))
    spans = sorted(
        set(zip(held["since_ts"].to_pylist(), held["superseded_ts"].to_pylist(), strict=True)),
        key=str,
    )
    versions = []
    for since, superseded in spans:
        some = held.filter(
            pc.and_(_is(held["since_ts"], since), _is(held["superseded_ts"], superseded))
        )
        versions.append(
            f"select *, {_moment(since)} as since_ts, {_moment(superseded)} as superseded_ts "
            f"from ({_read(pattern, table, some)})"
        )
    return _union(selects), _union(versions)


def _told_twice(table: Table, current: pa.Table) -> list:
    """Return the days on which several sources may tell of the same rows."""
    if not table.told_once:
        return []
    sources = (
        current.select(["day", "source"])
        .group_by("day")
        .aggregate([("source", "count_distinct", pc.CountOptions(mode="all"))])
    )
    several = sources.filter(pc.greater(sources["source_count_distinct"], 1))
    mixed = current.filter(pc.is_null(current["source"]))["day"]  # parts of several sources
    return sorted({*several["day"].to_pylist(), *mixed.to_pylist()})


def _once(table: Table, rows: str) -> str:
    """Return a select of what several sources tell, each thing once."""
    # The day first: a window that knows it lets a question of one day read one day's files.
    keys = "day, " + ", ".join(
        f"date_trunc('millisecond', {name})" if name == table.time else name
        for name in table.told_once
    )
    order = ", ".join(table.grain)
    numbered = (
        f"select *, row_number() over (partition by {keys}, source order by {order}) as nth "
        f"from ({rows})"
    )
    return (
        f"select * exclude (nth) from ({numbered}) qualify "
        f"row_number() over (partition by {keys}, nth order by known_ts, source) = 1"
    )


def _read(pattern: Callable[[str], str], table: Table, parts: pa.Table) -> str:
    """Return a select over parts; those of an older contract lack columns, which read null."""
    selects = []
    for version in sorted(pc.unique(parts["contract"]).to_pylist()):
        # Parts that were compacted share a file.
        paths = pc.unique(parts.filter(pc.equal(parts["contract"], version))["path"])
        files = ", ".join(quoted(pattern(path)) for path in paths.to_pylist())
        origin = (
            f"read_parquet([{files}], hive_partitioning = true, hive_types = {{'day': date}})"
        )
        lacking = {column.name for column in table.columns if column.since > version}
        selects.append(_select(table, origin, lacking))
    if len(selects) > 1 or (selects and lacking) or not selects:
        # The empty relation gives what is lacking its type.
        selects.insert(0, _select(table, f"promised.{table.name}"))
    return _union(selects)


def _select(table: Table, origin: str, lacking: Iterable[str] = ()) -> str:
    """Return a select of the table's columns.

    Qualified: DuckDB 2.0 lets a macro's parameter named as a column leak into the views it
    reads ("Conflicting column names"), unless the view says whose column it means.
    """
    held = (
        f"null as {column.name}" if column.name in lacking else f"part.{column.name}"
        for column in table.columns
    )
    derived = (f"{one.sql} as {one.name}" for one in table.derived)
    return f"select {', '.join(('part.day', *held, *derived))} from {origin} as part"


def _union(selects: Sequence[str]) -> str:
    return " union all ".join(selects)


def _is(values: pa.ChunkedArray, moment: datetime | None) -> pa.ChunkedArray:
    if moment is None:
        return pc.is_null(values)
    return pc.fill_null(pc.equal(values, pa.scalar(moment, values.type)), False)


def _moment(moment: datetime | None) -> str:
    if moment is None:
        return "null::timestamptz"
    return f"{quoted(moment.isoformat())}::timestamptz"
