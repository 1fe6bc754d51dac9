"""This module opens Parquet files that somebody else wrote.

Whatever is wrong with the bytes becomes one kind of complaint, which names the file.
"""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as kinds

from pipelines.sources.arrow_kinds import is_number, is_text
from pipelines.sources.errors import SourceError, one_line

# What Arrow raises over bytes that are no Parquet: its own, an end that comes too soon
# (OSError), and names that are no UTF-8 (ValueError).
_FAULTS = (pa.ArrowException, OSError, ValueError)


@contextmanager
def parquet(path: str) -> Iterator[None]:
    """Turn what goes wrong while ``path`` is read into a :class:`SourceError`."""
    try:
        yield
    except SourceError:
        raise
    except _FAULTS as error:
        reason = one_line(str(error).partition("\n")[0]) or type(error).__name__
        raise SourceError(f"{path}: cannot be read as Parquet: {reason}") from error


def whole(body: bytes, path: str) -> pa.Table:
    """Return all rows of a file that is held in memory.

    >>> whole(b"PAR1 is not enough", "f.parquet")
    Traceback (most recent call last):
    pipelines.sources.errors.SourceError: f.parquet: cannot be read as Parquet: Parquet magic \
bytes not found in footer. Either the file is corrupted or this is not a parquet file.
    """
    with parquet(path):
        file = pq.ParquetFile(io.BytesIO(body))
        return file.read(use_threads=False)


def frame(table: pa.Table, path: str, used: Sequence[str]) -> pl.DataFrame:
    """Return the ``used`` columns of a file, as far as it has them, as polars has them.

    polars ends the process's thread over types and texts that it does not expect, so that it
    is given none: no time zone but UTC, no text that is not UTF-8, no nested values.

    Raises
    ------
    SourceError
        If a column comes twice, or is of no type that a documented field has.

    Examples
    --------
    >>> frame(pa.table({"px": [1.5], "deep": [[1]]}), "f", ["px", "size"]).to_dicts()
    [{'px': 1.5}]
    """
    columns = {}
    for name in used:
        if (count := table.column_names.count(name)) > 1:
            raise SourceError(f"{path}: field {name} comes {count} times")
        if count:
            columns[name] = _plain(table[name], name, path)
    return pl.DataFrame(pa.table(columns))


def _plain(values: pa.ChunkedArray, name: str, path: str) -> pa.ChunkedArray:
    with parquet(path):
        values.validate(full=True)
        if kinds.is_dictionary(values.type):
            values = values.cast(values.type.value_type)
        kind = values.type
        if kinds.is_timestamp(kind):
            return values.cast(pa.timestamp(kind.unit, "UTC")) if kind.tz else values
        if (
            kinds.is_null(kind)
            or kinds.is_boolean(kind)
            or kinds.is_date(kind)
            or is_text(kind)
        ):
            return values
        if is_number(kind) and not kinds.is_decimal256(kind):
            return values
    raise SourceError(
        f"{path}: field {name} must be text, a number or an instant, is {one_line(kind)}"
    )


def pieces(
    file: BinaryIO, path: str, used: Sequence[str], at_once: int
) -> Iterator[tuple[int, pa.Table]]:
    """Yield a file's rows a piece at a time, row group by row group.

    Columns that are not ``used`` are not fetched: they are there by their names, as nulls.

    Parameters
    ----------
    file
        The file, open; it is read in ranges and not closed.
    path
        Name for complaints.
    used
        Names of the columns to read, as far as the file has them.
    at_once
        Rows of a piece at most.

    Yields
    ------
    int, Table
        Number of the piece's first row, and its rows.

    Raises
    ------
    SourceError
        If the bytes are no Parquet.
    """
    first = 0
    with parquet(path):
        opened = pq.ParquetFile(file)
        names = opened.schema_arrow.names
        wanted = [name for name in names if name in used]
        numbers = range(opened.num_row_groups)
    for number in numbers:
        with parquet(path):
            batches = opened.iter_batches(at_once, [number], wanted, use_threads=False)
        while True:
            with parquet(path):
                batch = next(batches, None)
                if batch is None:
                    break
                piece = pa.Table.from_batches([batch])
                for name in names:
                    if name not in wanted:
                        piece = piece.append_column(name, pa.nulls(piece.num_rows))
            yield first, piece
            first += piece.num_rows
