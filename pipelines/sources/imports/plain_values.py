"""This module reads one column of a file as numbers, instants, truths or words.

Text is parsed and Parquet's own types are kept; null stays null.  Each function names the
first row that cannot be read.
"""

import polars as pl

from pipelines.sources.errors import SourceError
from pipelines.sources.imports import texts
from pipelines.sources.imports.keys import named
from pipelines.sources.imports.raw_file import RawFile

# Whole numbers up to here are floats of their own.
WHOLE = 2.0**53
NUMBERS = (pl.Int64, pl.UInt64, pl.Float64)


def number(raw: RawFile, given: pl.Series, decimal: str, scale: float) -> pl.Series:
    """Return numbers, ``scale`` times what is written; all are finite."""
    if given.dtype == pl.String:
        values, wrong = texts.numbers(given, decimal)
        raw.refuse(wrong, given.name, "must be a number", given)
    elif given.dtype in NUMBERS:
        values = given.cast(pl.Float64)
    else:
        raise mistyped(raw, given, "numbers")
    values = values * scale
    raw.refuse(~values.is_finite(), given.name, "must be finite", given)
    return values


def integer(raw: RawFile, given: pl.Series) -> pl.Series:
    """Return whole numbers of 64 bits."""
    if given.dtype == pl.String:
        values, wrong = texts.integers(given)
    elif given.dtype in NUMBERS:
        if given.dtype == pl.Float64:
            # What writes missing integers as NaN makes the others floats.
            whole = (given == given.floor()) & (given.abs() <= WHOLE)
            values = given.set(~whole.fill_null(False), None).cast(pl.Int64)
        else:
            values = given.cast(pl.Int64, strict=False)
        wrong = values.is_null() & given.is_not_null()
    else:
        raise mistyped(raw, given, "whole numbers")
    raw.refuse(wrong, given.name, "must be a whole number of 64 bits", given)
    return values


def instant(raw: RawFile, given: pl.Series, unit: str, zone: str) -> pl.Series:
    """Return instants; ``unit`` and ``zone`` are those of a mapping's entry."""
    if given.null_count() == len(given):
        return pl.Series(given.name, [None] * len(given), texts.INSTANT)
    if isinstance(given.dtype, pl.Datetime) and unit == "typed":
        if given.dtype.time_zone is None and zone != "UTC":
            raise mistyped(raw, given, 'instants with a zone, or zone = "UTC"')
        values = given.dt.replace_time_zone("UTC")
    elif unit == "iso" and given.dtype == pl.String:
        values, wrong = texts.iso_instants(given, zone)
        with_offset = "" if zone == "UTC" else " with its offset"
        raw.refuse(wrong, given.name, f"must be an ISO 8601 instant{with_offset}", given)
    elif unit in texts.MICROSECONDS and given.dtype in (pl.String, *NUMBERS):
        values, wrong = texts.counted_instants(given, unit)
        raw.refuse(wrong, given.name, f"must be a count of {unit} since 1970", given)
    else:
        raise mistyped(raw, given, "instants" if unit == "typed" else f"instants in {unit}")
    outside = (values < texts.EARLIEST) | (values >= texts.LATEST)
    must = "must be between 2009 and 2099 (is its unit right?)"
    raw.refuse(outside, given.name, must, given)
    return values


def truth(raw: RawFile, given: pl.Series) -> pl.Series:
    """Return truths, written true or false where they are text."""
    if given.dtype == pl.Boolean:
        return given
    if given.dtype != pl.String:
        raise mistyped(raw, given, "truths")
    values, wrong = texts.truths(given)
    raw.refuse(wrong, given.name, "must be true or false", given)
    return values


def words(raw: RawFile, given: pl.Series) -> pl.Series:
    """Return words; whole numbers and truths count as they are written."""
    if given.dtype in (pl.Int64, pl.UInt64, pl.Boolean):
        return given.cast(pl.String)
    if given.dtype != pl.String:
        raise mistyped(raw, given, "words")
    return given


def text(raw: RawFile, given: pl.Series) -> pl.Series:
    """Return texts that can be shown."""
    if given.dtype != pl.String:
        raise mistyped(raw, given, "text")
    raw.refuse(given.str.contains(texts.NOT_TEXT), given.name, f"must be {texts.TEXT}", given)
    return given


def mistyped(raw: RawFile, given: pl.Series, must: str) -> SourceError:
    """Return the complaint about a column of another type."""
    return SourceError(
        f"{raw.file}: field {named(given.name)} must hold {must}, is {given.dtype}"
    )
