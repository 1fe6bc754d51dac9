"""This module holds a file's columns to the types and values its source documents.

What is refused is named by file, row and field, because the file is what its reader can look
at.  Rows count from 0 in Parquet; in text they are the line, of which the first is the header.
"""

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from pipelines.sources.errors import SourceError, one_line

TIME = pl.Datetime("us", "UTC")
TEXT = pl.String
NUMBER = pl.Float64

_WORDS = {TIME: "a UTC timestamp", TEXT: "text", NUMBER: "a number"}
# The end of the year 9999, where datetimes end, less a day for what follows from an instant.
_LAST_S = 253_402_214_400
# No parser's taste decides what a second of 60, or a space within, may mean.
_ISO = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-5][0-9](\.[0-9]{1,9})?)?"
    r"(Z|[+-][0-9]{2}:?[0-9]{2})?$"
)
_PER_SECOND = {"ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


class Field(NamedTuple):
    """One field of a file: its name there, its type, and whether a row may lack it."""

    name: str
    kind: pl.DataType | type[pl.DataType]
    null: bool = False
    optional: bool = False  # the whole column may be absent; it is then null


class RowsOf(NamedTuple):
    """Rows of one file in their documented types, with the file's name for complaints."""

    rows: pl.DataFrame
    file: str
    row: str = "row"  # what a row is called: "row" in Parquet, "line" in text
    first: int = 0  # number of the first row

    def refuse(self, broken: pl.Expr, field: str, must: str) -> None:
        """Raise if a row is ``broken``, naming the first one's number and value."""
        flags = self.rows.select(broken.fill_null(False)).to_series()
        if (at := flags.arg_max()) is not None and flags[at]:
            raise SourceError(
                f"{self.file} {self.row} {at + self.first}: field {field} {must}, "
                f"is {shown(self.rows[field], at)}"
            )


def shown(values: pl.Series, at: int) -> str:
    """Return a value for an error: on one line, whole if it is short."""
    return beyond_dates(values, at) or one_line(values[at], 60)


def beyond_dates(values: pl.Series, at: int) -> str:
    """Return an instant that Python's datetime does not hold, in words; "" for another value.

    polars ends the thread over such an instant instead of raising.

    >>> beyond_dates(pl.Series([2**62]).cast(pl.Datetime("ms")), 0)
    '4611686018427387904 ms since 1970'
    """
    kind = values.dtype
    if not isinstance(kind, pl.Datetime) or (count := values.to_physical()[at]) is None:
        return ""
    if 0 <= count <= _LAST_S * _PER_SECOND[kind.time_unit]:
        return ""
    return f"{count} {kind.time_unit} since 1970"


def typed(
    raw: pl.DataFrame, fields: Sequence[Field], file: str, *, as_text: bool = False
) -> tuple[RowsOf, dict[str, int]]:
    """Return the documented fields in their types, and the fields nobody documented.

    Parameters
    ----------
    raw
        Rows as the file holds them.
    fields
        What its source documents.
    file
        Name for complaints.
    as_text
        Every column is text, as a CSV file holds it, and is parsed; an empty cell is null.

    Raises
    ------
    SourceError
        If a field is missing, of another type, null or NaN where it may not be, or cannot be
        parsed.
    """
    columns = []
    row, first = ("line", 2) if as_text else ("row", 0)
    for field in fields:
        if field.name not in raw.columns:
            if not field.optional:
                raise SourceError(f"{file}: field {field.name} is missing")
            values = pl.Series(field.name, [None] * raw.height, field.kind)
        elif as_text:
            values = _parsed(raw[field.name], field, file)
        else:
            values = _cast(raw[field.name], field, file)
        columns.append(values)
    given = RowsOf(pl.DataFrame(columns), file, row, first)
    for field in fields:
        if not (field.null or field.optional):
            given.refuse(pl.col(field.name).is_null(), field.name, "must not be missing")
        if field.kind == NUMBER:
            given.refuse(~pl.col(field.name).is_finite(), field.name, "must be finite")
    known = {field.name for field in fields}
    return given, {name: raw.height for name in raw.columns if name not in known}


def _cast(values: pl.Series, field: Field, file: str) -> pl.Series:
    """Return a typed column as ``field.kind``; text is never read as a number."""
    kind = values.dtype
    fits = {
        TIME: isinstance(kind, pl.Datetime) and kind.time_zone is not None,
        TEXT: kind in (pl.String, pl.Categorical),
        NUMBER: kind.is_numeric(),
    }[field.kind]
    if not fits:
        raise SourceError(f"{file}: field {field.name} must be {_WORDS[field.kind]}, is {kind}")
    if field.kind == TIME:
        utc = values.dt.convert_time_zone("UTC")
        _hold_moments(utc, field, RowsOf(pl.DataFrame([utc]), file))
        return utc.dt.cast_time_unit("us")
    return values.cast(field.kind)


def _parsed(values: pl.Series, field: Field, file: str) -> pl.Series:
    """Return a text column parsed as ``field.kind``; an empty cell is null."""
    text = values.replace("", None)
    if field.kind == TEXT:
        return text
    if field.kind == TIME:
        plain = text.set(~text.str.contains(_ISO).fill_null(True), None)
        parsed = plain.str.to_datetime(time_unit="us", time_zone="UTC", strict=False)
    else:
        parsed = text.cast(NUMBER, strict=False)
    given = RowsOf(pl.DataFrame([text]), file, "line", 2)
    given.refuse(
        pl.lit(parsed.is_null()) & text.is_not_null(),
        field.name,
        f"must be {_WORDS[field.kind]}",
    )
    if field.kind == TIME:
        _hold_moments(parsed, field, given)
    return parsed


def _hold_moments(values: pl.Series, field: Field, given: RowsOf) -> None:
    """Raise over an instant before 1970 or after 9999: in microseconds it may be another."""
    assert isinstance(values.dtype, pl.Datetime)
    counts, last = values.to_physical(), _LAST_S * _PER_SECOND[values.dtype.time_unit]
    outside = (counts < 0) | (counts > min(last, 2**63 - 1))
    given.refuse(pl.lit(outside), field.name, "must lie from 1970 to 9999")
