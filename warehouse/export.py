"""This module writes the catalog of a lake to a DuckDB file, for clients without undertow.

The file holds no rows of the lake: views over its files, by absolute paths or URLs, and macros.
What is no file becomes a table of that moment: the newest lines of the ledgers, snapshots,
which levels are current, and gaps.  So the file shows the lake as it was: it sees nothing that
is landed later, and files that a compaction or a correction replaces are gone from under it.
"""

import os
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import duckdb

from warehouse.attach import attach, describe, promise, quoted
from warehouse.catalog import build
from warehouse.contracts.gaps import GAPS
from warehouse.health.batches import COLUMNS
from warehouse.health.gaps_table import LateGaps
from warehouse.store.lake import Lake, NoLake

SAYS = (
    "Shows the lake as of made_ts: rows landed later are not seen, and files replaced later "
    "are missing; so are all files once the lake has moved, for their paths are absolute: "
    "export again then. Moments that are asked about name their zone, as '2026-02-05T12:00Z'; "
    "those of answers are told in the zone of the session. A lake in a bucket is read with the "
    "extension httpfs and a secret of your own."
)
MAGIC = b"DUCK"  # at byte 8 of every DuckDB file (duckdb.org, "Storage Versions and Format")


class Exported(NamedTuple):
    """What was written.

    Attributes
    ----------
    file
        Where, absolute.
    lake
        Folder, absolute, or URL.
    relations, macros
        How many tables and views, and how many macros, a client sees.
    """

    file: Path
    lake: str
    relations: int
    macros: int


def export_catalog(
    lake: str | Path | Lake, file: str | Path, now: datetime, force: bool = False
) -> Exported:
    """Write views and macros of a lake to a DuckDB file, whole or not at all.

    Parameters
    ----------
    lake
        Folder or ``s3://`` URL.
    file
        Where to write.
    now
        What the file says of when it was made.
    force
        Replace a DuckDB file that is there.

    Raises
    ------
    NoLake
        If there is no lake.
    FileExistsError
        If ``file`` is there and may not be replaced.
    FileNotFoundError
        If its folder is not there.
    """
    lake, file = Lake.at(lake), Path(file).absolute()
    if not lake.exists():
        raise NoLake(f"no lake at {lake}: `undertow ingest` or `undertow demo` makes one")
    hold_free(file, force)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".undertow-") as folder:
        draft = Path(folder, "draft.duckdb")
        with duckdb.connect(str(draft)) as con:
            con.execute("set timezone = 'UTC'")
            con.execute("set enable_progress_bar = false")
            con.execute("begin")
            promise(con)
            attach(con, lake)
            _write_gaps(con)
            build(con)
            _write_basis(con, lake, now)
            con.execute("commit")
            counted = con.execute(
                "select (select count(*) from duckdb_tables() where schema_name = 'main') "
                "+ (select count(*) from duckdb_views() where not internal), "
                "(select count(*) from duckdb_functions() where not internal)"
            ).fetchall()[0]
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(draft, file)
    return Exported(file, lake.readable, *counted)


def hold_free(file: Path, force: bool) -> None:
    """Raise if a file must not be written: it is there, or its folder is not.

    Raises
    ------
    FileExistsError, FileNotFoundError
        With a line that says how to go on.
    """
    if not file.parent.is_dir():
        raise FileNotFoundError(f"export {file}: there is no folder {file.parent}")
    if file.is_dir():
        raise FileExistsError(f"export {file}: is a folder; name a file, as catalog.duckdb")
    log = file.with_name(f"{file.name}.wal")
    if log.exists():
        raise FileExistsError(
            f"export {file}: somebody writes to it, or did not close it ({log.name} is there)"
        )
    if not file.exists():
        return
    if not force:
        raise FileExistsError(f"export {file}: is there already; --force replaces it")
    with file.open("rb") as there:
        if there.read(12)[8:] != MAGIC:
            raise FileExistsError(f"export {file}: is no DuckDB file, and is not replaced")


def _write_gaps(con: duckdb.DuckDBPyConnection) -> None:
    """Write the table ``gaps`` as it is now; it must have ``parts`` and ``asks``."""
    parts = con.sql(f"select {', '.join(COLUMNS)} from parts").to_arrow_table()
    con.register("late", LateGaps(parts, con.sql("from asks").to_arrow_table()))
    con.execute("create table promised.gaps as from late")
    con.unregister("late")
    columns = ", ".join(GAPS.schema.names)
    con.execute(f"create view {GAPS.name} as select {columns} from promised.gaps")
    describe(con, GAPS.name, GAPS.purpose, GAPS.schema)


def _write_basis(con: duckdb.DuckDBPyConnection, lake: Lake, now: datetime) -> None:
    con.execute(
        "create table catalog_basis as select $1::timestamptz as made_ts, $2 as lake, "
        "$3 as undertow, $4 as says",
        [now.astimezone(UTC), lake.readable, version("undertow"), SAYS],
    )
    con.execute(
        f"comment on table catalog_basis is {quoted('Of when this catalog is. ' + SAYS)}"
    )
