"""This module lends connections for checks to be asked over.

Measured: a new one costs 16 ms with the empty tables that checks need, more than the checks of
a small landing.  So they are kept for the next one, as many as there are landings at once, but
for those that read much: DuckDB gives memory back when a connection is closed, 0.7 GiB after
the checks of 7 million positions.
"""

import atexit
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import duckdb

from warehouse.contracts.table import empty
from warehouse.contracts.tables import TABLES

_idle: list[duckdb.DuckDBPyConnection] = []
# What was opened before a fork has lost its threads.
os.register_at_fork(after_in_child=_idle.clear)


MUCH = 1_000_000


@contextmanager
def borrowed(rows: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection with ``promised``, the empty tables; views may be left behind.

    Parameters
    ----------
    rows
        How many it may read; from ``MUCH`` on it is closed and not kept.
    """
    try:
        con = _idle.pop()
    except IndexError:
        con = _opened()
    with ExitStack() as undone:
        undone.callback(con.close)
        yield con
        if rows < MUCH:
            undone.pop_all()
            _idle.append(con)


def _opened() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute("set timezone = 'UTC'")
    con.execute("set enable_progress_bar = false")
    con.execute("create schema promised")
    for table in TABLES:
        con.register("nothing", empty(table))
        con.execute(f"create table promised.{table.name} as from nothing")
        con.unregister("nothing")
    return con


@atexit.register
def _close() -> None:
    while _idle:
        _idle.pop().close()
