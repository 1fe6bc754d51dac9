"""This module keeps the catalog of a lake without rows, so that the next opening copies it.

Measured: 70 macros are parsed and bound in 180 ms, and 280 columns are described in 60 ms; a
copy of all of it takes 20 ms.  What is kept is a DuckDB file in the user's cache, named by a
digest of everything it is made of.  Where there can be none, or it is spoilt, each opening
makes its own.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import duckdb
from platformdirs import user_cache_path

from warehouse.attach import quoted

Make = Callable[[duckdb.DuckDBPyConnection], object]


def fill(con: duckdb.DuckDBPyConnection, told: Iterable[str | bytes], make: Make) -> None:
    """Give a new connection what ``make`` gives one, by a copy of it if there is one.

    Parameters
    ----------
    con
        Connection to an empty database in memory.
    told
        Everything that decides what ``make`` gives.
    make
        Makes tables, views and macros in the connection; called only where there is no copy.
    """
    file = place(told)
    if not (file.exists() and _copied(con, file)):
        make(con)
        _keep(con, file)


def place(told: Iterable[str | bytes]) -> Path:
    """Return where the copy of a catalog lies, which nobody may have made yet."""
    digest = hashlib.sha256(duckdb.__version__.encode())
    for one in told:
        body = one.encode() if isinstance(one, str) else one
        digest.update(f"{len(body)}:".encode() + body)
    return user_cache_path("undertow") / f"catalog-{digest.hexdigest()[:16]}.duckdb"


def _copied(con: duckdb.DuckDBPyConnection, file: Path) -> bool:
    """Copy a catalog into a connection; whether it could be read."""
    try:
        con.execute(f"attach {quoted(str(file))} as blank (read_only)")
    except duckdb.Error:  # spoilt, or removed since
        return False
    con.execute("begin")
    try:
        con.execute("copy from database blank to memory")
        con.execute("commit")
    except duckdb.Error:
        con.execute("rollback")
        return False
    finally:
        con.execute("detach blank")
    return True


def _keep(con: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Write what a connection has, so that others copy it: whole, or not at all."""
    # A cache that cannot be written is none; what was asked for is made already.
    with suppress(OSError, duckdb.Error):
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=".catalog-") as folder:
            draft = Path(folder, "draft.duckdb")
            con.execute(f"attach {quoted(str(draft))} as blank")
            try:
                con.execute("copy from database memory to blank")
            finally:
                con.execute("detach blank")
            os.replace(draft, file)
