"""Slow readings of files, by other means than the adapters': one value after the other."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def parsed(text):
    """Return what JSON holds; by another parser where it is too deep for Python's."""
    try:
        return json.loads(text)
    except RecursionError:
        return orjson.loads(text)


def moment(ms):
    """Return an instant of milliseconds since 1970."""
    assert type(ms) is int
    return EPOCH + timedelta(milliseconds=ms)


def iso(text):
    """Return an instant of ISO 8601 to the microsecond; what is finer is cut."""
    day, _, rest = text.replace(" ", "T").partition("T")
    clock = rest.rstrip("Z").partition("+")[0]
    whole, _, part = clock.partition(".")
    offset = rest[len(clock) :]
    at = datetime.fromisoformat(f"{day}T{whole or '00:00:00'}{offset or 'Z'}")
    return at.astimezone(UTC) + timedelta(microseconds=int(f"{part:0<6}"[:6]))


def above_zero(value):
    """Return a number; None where it is none, or not above 0."""
    return None if value is None or not float(value) > 0 else float(value)


def or_none(value):
    """Return a number; None where it is none."""
    return None if value is None or value == "" else float(value)


def csv_rows(body, delimiter=","):
    """Return the lines of CSV as dictionaries; each must have as many cells as the head."""
    text = io.StringIO(body.decode("utf-8-sig"), newline="")
    head, *rows = [row for row in csv.reader(text, delimiter=delimiter) if row]
    return [dict(zip(head, row, strict=True)) for row in rows]


class Sheet:
    """Columns of Parquet as lists of Python's values."""

    def __init__(self, body):
        self.table = pq.ParquetFile(io.BytesIO(body)).read()

    def has(self, name):
        return name in self.table.column_names

    def texts(self, name):
        return [None if each is None else str(each) for each in self.values(name)]

    def numbers(self, name):
        """Return numbers, be they written as such or in text."""
        return [None if each is None else float(each) for each in self.values(name)]

    def whole(self, name):
        return [None if each is None else int(Decimal(each)) for each in self.values(name)]

    def values(self, name):
        if not self.has(name):
            return [None] * self.table.num_rows
        return self.table[name].to_pylist()

    def instants(self, name):
        """Return instants, whose parts below a microsecond are cut; one too far off is None."""
        column = self.table[name]
        if not len(column):
            return []
        per_second = _PER_SECOND[column.type.unit]
        return [_instant(each, per_second) for each in column.cast(pa.int64()).to_pylist()]

    def rows(self, **columns):
        """Return rows of columns that are as long as each other."""
        return [
            dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
        ]


def _instant(count, per_second):
    if count is None:
        return None
    try:
        return EPOCH + timedelta(microseconds=int(Fraction(count * 1_000_000, per_second)))
    except OverflowError:
        return "beyond what a datetime holds"
