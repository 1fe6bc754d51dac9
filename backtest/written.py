"""This module holds the rows that a run or study leaves now to those it left in the lake."""

from datetime import date
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa

from warehouse.contracts.table import Table
from warehouse.store.parts import by_day, digest, write_part


class Cell(NamedTuple):
    """The first thing that is not as it was written.

    Attributes
    ----------
    table, name
        Where; the name is of the run or study.
    row
        Grain of the row, in words.
    column
        Name; ``rows``: there are more or fewer; ``bytes``: all rows are alike, and the file is
        not, which another version of its writer does.
    recorded, found
        Both values.
    """

    table: str
    name: str
    row: str
    column: str
    recorded: object
    found: object

    def __str__(self) -> str:
        r"""Return the difference as one sentence; of text of many lines, of the first unlike.

        Examples
        --------
        >>> print(Cell("backtest_studies", "5a", "", "notes", "one.\ntwo.", "one.\nsix."))
        backtest_studies of 5a: notes is 'six.', and 'two.' was written
        """
        where = f"{self.name}, {self.row}" if self.row else self.name
        recorded, found = self.recorded, self.found
        if isinstance(recorded, str) and isinstance(found, str):
            recorded, found = map(repr, _first_unlike(recorded, found))
        return f"{self.table} of {where}: {self.column} is {found}, and {recorded} was written"


def _first_unlike(one: str, other: str) -> tuple[str, str]:
    """Return the first lines of two texts that differ; empty: that one has ended."""
    lines = zip_longest(one.splitlines(), other.splitlines(), fillvalue="")
    return next((pair for pair in lines if pair[0] != pair[1]), (one, other))


def unlike(
    lake: duckdb.DuckDBPyConnection, table: Table, name: str, made: pa.Table, folder: Path
) -> Cell | None:
    """Return the first difference of what one part holds in a table; null: the same bytes.

    Parameters
    ----------
    lake
        Catalog of a lake.
    table, name
        Where the rows are: of the run or study of this name, by which the grain begins.
    made
        Rows that a landing would write now, held to the contract.
    folder
        Where a file may be written, to take its hash.
    """
    files = dict(
        lake.sql(
            "select day, hash from parts where table_name = $table and part = $part "
            "and superseded_ts is null",
            params={"table": table.name, "part": name},
        ).fetchall()
    )
    other = _hashes(table, made, folder)
    if files == other:
        return None
    return _first(lake, table, name, made) or Cell(
        table.name, name, "all rows", "bytes", _said(files), _said(other)
    )


def _hashes(table: Table, made: pa.Table, folder: Path) -> dict[date, str]:
    """Return the hash of each day's file, as a landing would write it."""
    out = {}
    for day, rows in by_day(table, made):
        write_part(rows, folder / "part.parquet")
        out[day] = digest(folder / "part.parquet")
    return out


def _said(files: dict[date, str]) -> str:
    return ", ".join(f"{day} {files[day][:8]}" for day in sorted(files)) or "no file"


def _first(
    lake: duckdb.DuckDBPyConnection, table: Table, name: str, made: pa.Table
) -> Cell | None:
    """Return the first cell that differs, by rows; the name is looked at last."""
    key, order = table.grain[0], ", ".join(table.grain)
    columns = [column.name for column in table.columns]
    held = lake.sql(
        f"select {', '.join(columns)} from {table.name} where {key} = $name order by {order}",
        params={"name": name},
    ).to_arrow_table()
    looked = [*(column for column in columns if column != key), key]
    ours, theirs = held.to_pylist(), made.to_pylist()
    for one, other in zip(ours, theirs, strict=False):
        where = ", ".join(f"{column} {one[column]}" for column in table.grain[1:])
        for column in looked:
            if one[column] != other[column]:
                return Cell(table.name, name, where, column, one[column], other[column])
    if len(ours) != len(theirs):
        return Cell(table.name, name, "all rows", "rows", len(ours), len(theirs))
    return None
