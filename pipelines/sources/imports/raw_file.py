"""This module reads a file's columns as they stand, and finds a row again for an error.

Text stays text: a type guessed from the first rows would blame a later one.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from pipelines.sources.errors import SourceError, one_line
from pipelines.sources.imports.keys import named, nearest
from pipelines.sources.info.fields import shown
from pipelines.sources.typed_columns import beyond_dates

# A line must fit: 16 MiB is far above any, and what is read at once.
_BLOCK = 1 << 24


@dataclass(frozen=True, slots=True)
class RawFile:
    """One file's columns.

    Attributes
    ----------
    file
        Its name, for errors.
    rows
        Columns as the file holds them; of CSV all are text.
    body, delimiter
        The text behind ``rows``, to find a line in; ``None`` for Parquet.
    """

    file: str
    rows: pa.Table
    body: bytes | None = None
    delimiter: str = ","

    def column(self, name: str) -> pl.Series | None:
        """Return a column of text, truths, 64-bit numbers or instants; None: not there.

        Raises
        ------
        SourceError
            If it comes twice, or is of another type.
        """
        there = self.rows.column_names.count(name)
        if there > 1:
            raise SourceError(f"{self.file}: field {named(name)} comes {there} times")
        if not there:
            return None
        values = self.rows[name]
        try:
            return pl.Series(name, _plain(values))
        except pa.ArrowException as error:
            reason = one_line(error)
            raise SourceError(f"{self.file}: field {named(name)}: {reason}") from error
        except TypeError:
            must = "text, truths, numbers or instants"
            raise SourceError(
                f"{self.file}: field {named(name)} must be of {must}, is {values.type}"[:300]
            ) from None

    def needed(self, name: str) -> pl.Series:
        """Return a column; raise where it is not there."""
        values = self.column(name)
        if values is None:
            near = nearest(name, self.rows.column_names)
            raise SourceError(f"{self.file}: field {named(name)} is missing{near}")
        return values

    def refuse(self, broken: pl.Series, field: str, must: str, values: pl.Series) -> None:
        """Raise if a row is ``broken``, naming the first one's line and value."""
        at = broken.fill_null(False).arg_max()
        if at is not None and broken[at]:
            what = f"field {named(field)} {one_line(must)}"
            raise SourceError(
                f"{self.place(at)}: {what}, is {beyond_dates(values, at) or shown(values[at])}"
            )

    def place(self, row: int) -> str:
        """Return what a row is called: the line it starts on; of Parquet its number from 0."""
        if self.body is None:
            return f"{self.file} row {row}"
        return f"{self.file} line {_line(self.body, self.delimiter, row)}"

    def unknown(self, known: Iterable[str]) -> Counter[str]:
        """Return the columns that are not ``known``, each with the number of rows."""
        names = set(self.rows.column_names) - set(known)
        return Counter(dict.fromkeys(sorted(names), self.rows.num_rows))


def read_csv(body: bytes, file: str, delimiter: str = ",") -> RawFile:
    r"""Read CSV with a header line; every column is text, and what is not there is "".

    Raises
    ------
    SourceError
        If it is not UTF-8, has no header, or a line has more or fewer fields than the header.

    Examples
    --------
    >>> raw = read_csv(b'a,b\n1,"2\n3"\n\n4,5\n', "f.csv")
    >>> raw.rows.to_pydict(), raw.place(1)
    ({'a': ['1', '4'], 'b': ['2\n3', '5']}, 'f.csv line 5')
    """
    try:
        first = body.lstrip(b"\r\n").partition(b"\n")[0].partition(b"\r")[0]
        names = next(csv.reader([first.decode("utf-8-sig")], delimiter=delimiter, strict=True))
        rows = pa_csv.read_csv(
            io.BytesIO(body),
            # One thread, so that a complaint of the parser names its row.
            pa_csv.ReadOptions(use_threads=False, block_size=_BLOCK),
            pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            pa_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), null_values=[]
            ),
        )
    except (pa.ArrowException, ValueError, csv.Error, StopIteration) as error:
        raise SourceError(f"{file}: cannot be read as CSV: {one_line(error)}") from error
    if rows.column_names != names:
        raise SourceError(f"{file}: cannot be read as CSV: its header must be one line")
    return RawFile(file, rows, body, delimiter)


def read_parquet(body: bytes, file: str) -> RawFile:
    """Read Parquet.

    Raises
    ------
    SourceError
        If it is none, or cut off.
    """
    try:
        rows = pq.read_table(io.BytesIO(body))
        rows.validate(full=True)
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise SourceError(f"{file}: cannot be read as Parquet: {one_line(error)}") from error
    return RawFile(file, rows)


def _plain(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column in one of the few types that are understood; TypeError for another."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        return _plain(values.cast(kind.value_type))
    if (
        pa.types.is_null(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
    ):
        return values.cast(pa.string())
    if pa.types.is_string(kind) or pa.types.is_boolean(kind):
        return values
    if pa.types.is_integer(kind):
        return values.cast(pa.uint64() if kind == pa.uint64() else pa.int64())
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return values.cast(pa.float64(), safe=False)
    if pa.types.is_date(kind):
        return values.cast(pa.timestamp("us"))
    if pa.types.is_timestamp(kind):
        instant = pa.timestamp("us", tz="UTC" if kind.tz else None)
        return pc.cast(values, options=pc.CastOptions(instant, allow_time_truncate=True))
    raise TypeError


def _line(body: bytes, delimiter: str, row: int) -> int | str:
    """Return the line a row of CSV starts on, from 1; its number where that is not found."""
    text = io.StringIO(body.decode("utf-8", "replace"), newline="")
    reader = csv.reader(text, delimiter=delimiter)
    start, found = 1, -2
    try:
        for record in reader:
            found += bool(record)
            if record and found == row:
                return start
            start = reader.line_num + 1
    except csv.Error:
        pass
    return f"of row {row}"
