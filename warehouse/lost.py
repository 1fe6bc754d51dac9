"""This module lets questions that need a lost file say so, and only those.

A file that the ledger lists may be gone: deleted by hand, or with a disk.  What else the lake
holds still answers; a question that reads the lost file's table and day raises one line that
names it and says how to go on.
"""

from collections.abc import Collection

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.contracts.table import Table
from warehouse.store.lake import Lake

TOLD = pa.schema(
    [
        ("table_name", pa.string()),
        ("day", pa.date32()),
        ("counts", pa.bool_()),
        ("what", pa.string()),
    ]
)


def parted(lines: pa.Table, lost: Collection[str]) -> tuple[pa.Table, pa.Table]:
    """Return the lines whose files are there, and those whose files are not."""
    gone = pc.is_in(lines["path"], pa.array(sorted(lost), pa.string()))
    return lines.filter(pc.invert(gone)), lines.filter(gone)


def tell_lost(con: duckdb.DuckDBPyConnection, lake: Lake, missing: pa.Table) -> None:
    """Enter the lines whose files are gone as ``promised.lost``, for :func:`with_lost`."""
    told = [
        {
            "table_name": line["table_name"],
            "day": line["day"],
            "counts": line["superseded_ts"] is None,
            "what": sentence(lake, line["path"]),
        }
        for line in missing.to_pylist()
    ]
    con.register("lines", pa.Table.from_pylist(told, TOLD))
    con.execute("create or replace table promised.lost as from lines")
    con.unregister("lines")


def with_lost(table: Table, current: str, versions: str) -> tuple[str, str]:
    """Return the relations of a table that raise where a lost file is needed.

    Rows of ``promised.lost`` join them, filtered by what raises: a question that leaves out
    their days never gets as far.
    """
    columns = ", ".join(
        "l.day" if name == "day" else f"null as {name}" for name in table.promised.names
    )
    lost = (
        f"from promised.lost as l where l.table_name = '{table.name}' and error(l.what) is null"
    )
    spans = "null as since_ts, null as superseded_ts"
    return (
        f"{current} union all select {columns} {lost} and l.counts",
        f"{versions} union all select {columns}, {spans} {lost}",
    )


def sentence(lake: Lake, path: str) -> str:
    """Return what to say of a file that is listed and gone."""
    return (
        f"lake {lake}: {lake.place(path)} is gone, which the ledger lists; `undertow check "
        "--files` lists all that is lost or damaged, and landing its batch again puts it back"
    )
