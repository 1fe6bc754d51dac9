"""This module changes what a connection shows of a lake, beneath every view and macro.

The tables of a lake are views of views (:mod:`warehouse.attach`); those in the schema
``listed`` name the files.  They are set aside, and others take their names: what reads a table,
by whatever macro, sees the world it is put into.
"""

from collections.abc import Iterator

import duckdb

from backtest.card import LOOKBACK
from backtest.proof import pins
from backtest.proof.garbage import scrambled
from backtest.proof.worlds import HEARD, OPENED, UNPUBLISHED, World
from warehouse.attach import quoted
from warehouse.contracts.table import Table
from warehouse.contracts.tables import CANDLES, FUNDING, TABLES

READ = tuple(table for table in TABLES if table.name in LOOKBACK)
# A replay charges and fills by what the venue did, however late that was published.
HISTORY = ("candles", "funding", "order_books", "asset_contexts", "fills")
# Of these only what it charges by, and what tells of trades within a bar.
TOLD = {
    "asset_contexts": ("oracle_px", "day_notional_volume"),
    "fills": ("px", "size"),
}
BOOKS = ("parts", "asks")
VIEWS = tuple(name for table in TABLES for name in (table.name, f"{table.name}_versions"))


class CutLake:
    """A connection whose lake can be put into other worlds.

    Parameters
    ----------
    con
        Of :func:`warehouse.open_lake`; nobody else may use it.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con
        # A sum of floats depends on its order, and the order on how many threads there are.
        con.execute("set threads = 1")
        # Maps that were binned ahead say what the rows say.
        con.execute("delete from promised.levels_days")
        for name in (*VIEWS, *BOOKS):
            con.execute(f"alter view listed.{name} rename to {name}_whole")
        self.show(None)

    def show(self, world: World | None) -> None:
        """Put the lake into a world, out of the one it is in; null: as it is."""
        for name, select in as_it_is() if world is None else selects(world):
            self.con.execute(f"create or replace view listed.{name} as {select}")


def as_it_is() -> Iterator[tuple[str, str]]:
    """Yield the name of every view, and what it is where nothing is cut.

    What a study does not read is empty in every world.
    """
    read = {name for table in READ for name in (table.name, f"{table.name}_versions")}
    for name in (*VIEWS, *BOOKS):
        there = "" if name in (*read, *BOOKS) else " where false"
        yield name, f"from listed.{name}_whole{there}"


def selects(world: World) -> Iterator[tuple[str, str]]:
    """Yield the name of each view that differs in a world, and what it is."""
    for table in READ:
        yield table.name, _current(table, world)
        yield f"{table.name}_versions", _versions(table, world)
    cut = world.sql
    yield "parts", _parts(world) if world.ends else "from listed.parts_whole"
    asked = f"a.day::timestamp at time zone 'UTC' + to_hours(greatest(a.hour, 0)) <= {cut}"
    only = f"where {asked}" if world.ends else ""
    yield "asks", f"select a.* from listed.asks_whole as a {only}"


def _current(table: Table, world: World) -> str:
    """Return what counts today of a table, in a world."""
    bare = world.kind == UNPUBLISHED
    known = world.waits(table.name) and (bare or table.name not in HISTORY)
    live = pins.traded_on(world) if table is CANDLES else "false"
    rows = _rows(table, world, table.name, known, (), live)
    if table is CANDLES:
        return pins.candles(rows, world)
    if bare:  # nothing is charged there
        return rows
    if table.name in TOLD and world.waits(table.name):
        return _told_only(table, rows, world)
    return pins.payments(rows, world) if table is FUNDING else rows


def _told_only(table: Table, rows: str, world: World) -> str:
    """Return rows that, until they are published, say no more than what a replay needs."""
    told = {*TOLD[table.name], *table.grain, "known_ts"}
    hidden = ", ".join(
        f"if(part.known_ts > {world.sql}, null, part.{column.name}) as {column.name}"
        for column in table.columns
        if column.name not in told
    )
    return f"select part.* replace ({hidden}) from ({rows}) as part"


def _versions(table: Table, world: World) -> str:
    """Return all versions of a table, in a world."""
    waits = world.waits(table.name)
    rows = _rows(table, world, f"{table.name}_versions", waits, ("since_ts", "superseded_ts"))
    if not waits or not world.ends:
        return rows
    late = f"if(part.superseded_ts > {world.sql}, null, part.superseded_ts)"
    return f"select part.* replace ({late} as superseded_ts) from ({rows}) as part"


def _rows(
    table: Table,
    world: World,
    name: str,
    known: bool,
    spans: tuple[str, ...],
    live: str = "false",
) -> str:
    """Return the rows of a view; those after the cut are gone or garbage.

    Parameters
    ----------
    known
        Whether what was published after the cut counts as after it.
    live
        Which of it does not, for it is seen as it happens; as SQL.
    """
    cut = world.sql
    after = f"{_ended(table)} > {cut}"
    if known:
        since = f" or coalesce(part.since_ts > {cut}, false)" if spans else ""
        after = f"({after} or (part.known_ts > {cut} and not ({live})){since})"
    whole = f"from listed.{name}_whole as part"
    if world.ends:
        return f"select part.* {whole} where part.{table.time} <= {cut} and not {after}"
    opened = f"part.start_ts = {cut}" if world.kind == OPENED else "false"
    columns = [
        f"{value} as {column}"
        for column, value in scrambled(
            table, after, world.seed, world.close_px, opened, world.block
        )
    ]
    inner = ", ".join(["part.day", *columns, *(f"part.{span}" for span in spans)])
    names = ["day", *(column.name for column in table.columns)]
    outer = [f"part.{one}" for one in names]
    outer += [f"{one.sql} as {one.name}" for one in table.derived]
    outer += [f"part.{span}" for span in spans]
    return f"select {', '.join(outer)} from (select {inner} {whole}) as part"


def _ended(table: Table) -> str:
    """Return when a row is all there, as SQL."""
    if table is CANDLES:
        return "part.start_ts + bar_length(part.interval)"
    return f"part.{table.time}"


def _parts(world: World) -> str:
    """Return the ledger as it would have been: what grows is held up to the cut."""
    cut = world.sql
    replaced = [
        f"least(part.max_ts, {cut}) as max_ts",
        f"if(part.known_ts = part.max_ts, least(part.known_ts, {cut}), part.known_ts) "
        "as known_ts",
    ]
    # The venue has trades every second: an hour that has begun is being told.
    there = f"date_trunc('hour', part.min_ts) <= {cut}"
    if world.knowable:
        heard = ", ".join(map(quoted, HEARD)) if world.live_flow else "''"
        live = f"part.table_name in ({heard})"
        replaced.append(
            f"if(not {live} and part.superseded_ts > {cut}, null, part.superseded_ts) "
            "as superseded_ts"
        )
        there += (
            f" and ({live} or ((part.known_ts <= {cut} or part.known_ts = part.max_ts "
            f"or part.known_ts is null) and (part.since_ts <= {cut} or part.since_ts is null)))"
        )
    return (
        f"select part.* replace ({', '.join(replaced)}) "
        f"from listed.parts_whole as part where {there}"
    )
