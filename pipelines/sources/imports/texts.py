"""This module turns text columns into numbers, instants and truths; null stays null.

Each function returns the values and which rows could not be read, for its caller to complain.
"""

from datetime import UTC, datetime, timedelta

import polars as pl

# The venue's genesis is of 2023 and the oldest market of any other of 2009: an instant outside
# was counted in another unit.
EARLIEST, LATEST = datetime(2009, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
INSTANT = pl.Datetime("us", "UTC")
MICROSECONDS = {"s": 1_000_000.0, "ms": 1_000.0, "us": 1.0, "ns": 0.001}
ISO = (
    r"^([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]([0-9]{2}:[0-9]{2})(:[0-9]{2}(?:\.[0-9]{1,9})?)?)?"
    r"(Z|[+-][0-9]{2}:?[0-9]{2})?$"
)
# What a name may be: it is shown to people, and is part of other names.
LONGEST_TEXT = 128
TEXT = f"at most {LONGEST_TEXT} printed characters, without spaces at its ends"
NOT_TEXT = rf"\p{{C}}|\p{{Zl}}|\p{{Zp}}|^\s|\s$|^.{{{LONGEST_TEXT + 1}}}"
INTEGER = r"^[+-]?[0-9]{1,19}$"


def from_micros(micros: int) -> datetime | None:
    """Return an instant counted from 1970; None where it is not within the years we know.

    >>> str(from_micros(1_774_800_000_000_000)), from_micros(1_774_800_000)
    ('2026-03-29 16:00:00+00:00', None)
    """
    first = datetime(1970, 1, 1, tzinfo=UTC)
    span = ((bound - first) // timedelta(microseconds=1) for bound in (EARLIEST, LATEST))
    if micros not in range(*span):
        return None
    return first + timedelta(microseconds=micros)


def numbers(text: pl.Series, decimal: str = ".") -> tuple[pl.Series, pl.Series]:
    """Return decimal numbers.

    >>> numbers(pl.Series(["1,5", "-2e3", "1.5", None]), ",")[0].to_list()
    [1.5, -2000.0, None, None]
    """
    point = "\\" + decimal
    pattern = rf"^[+-]?(?:[0-9]+(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]{{1,4}})?$"
    kept = text.set(~text.str.contains(pattern).fill_null(True), None)
    values = kept.str.replace(decimal, ".", literal=True).cast(pl.Float64, strict=False)
    return values, values.is_null() & text.is_not_null()


def integers(text: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return whole numbers of 64 bits."""
    kept = text.set(~text.str.contains(INTEGER).fill_null(True), None)
    values = kept.cast(pl.Int64, strict=False)
    return values, values.is_null() & text.is_not_null()


def truths(text: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return truths, which are written true or false in any case."""
    lower = text.str.to_lowercase()
    values = lower.replace_strict({"true": True, "false": False}, default=None)
    values = values.cast(pl.Boolean)
    return values, values.is_null() & text.is_not_null()


def counted_instants(values: pl.Series, unit: str) -> tuple[pl.Series, pl.Series]:
    """Return instants counted from 1970 in seconds, ms, us or ns, to the microsecond.

    >>> counted_instants(pl.Series(["1770292800.25"]), "s")[0].to_list()[0].isoformat()
    '2026-02-05T12:00:00.250000+00:00'
    """
    given = values.is_not_null()
    if values.dtype == pl.String:
        values, _ = integers(values) if unit == "ns" else numbers(values)
    if unit == "ns" and values.dtype == pl.Int64:
        values, unit = values // 1_000, "us"
    # 53 bits count the microseconds of 285 years one by one.
    counts = (values.cast(pl.Float64) * MICROSECONDS[unit]).round()
    kept = counts.set(~(counts.abs() < 2.0**53).fill_null(False), None)
    return kept.cast(pl.Int64).cast(INSTANT), kept.is_null() & given


def iso_instants(text: pl.Series, zone: str) -> tuple[pl.Series, pl.Series]:
    """Return instants of ISO 8601; one without an offset is of ``zone``, or cannot be read.

    >>> values, wrong = iso_instants(pl.Series(["2026-02-05 14:00+02:00", "2026-02"]), "none")
    >>> values.to_list()[0].isoformat(), wrong.to_list()
    ('2026-02-05T12:00:00+00:00', [False, True])
    """
    parts = text.str.extract_groups(ISO).struct.unnest()
    day, clock, seconds, offset = parts.get_columns()
    if zone == "UTC":
        offset = offset.fill_null("Z")
    clock = clock.fill_null("00:00") + seconds.fill_null(":00")
    whole = day + "T" + clock + offset.replace("Z", "+0000")
    values = whole.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%z", time_unit="us", strict=False)
    return values.cast(INSTANT), values.is_null() & text.is_not_null()
