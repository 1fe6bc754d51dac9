"""This module runs other people's SQL: one statement that reads the lake and nothing else."""

from pathlib import Path

import duckdb

from warehouse.attach import quoted
from warehouse.catalog import open_lake
from warehouse.store import Lake


def select(lake: Lake | Path | str, query: str) -> duckdb.DuckDBPyRelation:
    """Return what one SELECT gives over the lake.

    The connection can open files of the lake only, and its settings are locked.

    Raises
    ------
    ValueError
        If ``query`` is not exactly one statement that reads.
    """
    lake = Lake.at(lake)
    con = open_lake(lake)
    kinds = [statement.type for statement in con.extract_statements(query)]
    if kinds != [duckdb.StatementType.SELECT]:
        found = ", ".join(str(kind).rpartition(".")[2] for kind in kinds) or "none"
        raise ValueError(f"sql takes one statement, a SELECT; this is {found}")
    con.execute(f"set allowed_directories = [{quoted(lake.readable)}]")
    con.execute("set enable_external_access = false")
    con.execute("set lock_configuration = true")
    return con.sql(query)
