"""This module translates the liquidations of Artemis' fills, which are objects or their text.

The object is the venue's own: ``{"liquidatedUser", "markPx", "method"}`` (Hyperliquid docs,
"Info endpoint", fills; read 2026-08-22), a struct of the Parquet file or JSON in text.  One
without any value is none.
"""

from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as kinds

from pipelines.sources.arrow_columns import Columns
from pipelines.sources.errors import SourceError
from pipelines.sources.unknown import Unknown

METHODS = ("market", "backstop")
COLUMN = "liquidation"
FIELDS = ("method", "liquidatedUser", "markPx")


def liquidations(
    given: Columns, unknown: Unknown, first_row: int = 0
) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Return method, liquidated account (lower case) and mark (USD) of each fill.

    Parameters
    ----------
    given
        Rows of one file; without the column, none of them is a liquidation.
    unknown
        Fields of the objects that are not known are kept here.
    first_row
        Number of the first row among the translated ones.

    Returns
    -------
    Array, Array, Array
        Text, text and float64; null where there is no liquidation, the last two also where it
        does not give them.

    Raises
    ------
    SourceError
        If the column is neither, or a field of an object is not as documented.
    """
    rows = given.table.num_rows
    if COLUMN not in given.table.column_names or kinds.is_null(given.raw(COLUMN).type):
        return (
            pa.nulls(rows, pa.string()),
            pa.nulls(rows, pa.string()),
            pa.nulls(rows, pa.float64()),
        )
    fields = _fields(given, unknown, first_row)
    named = {f"{COLUMN}.{name}": fields.get(name, pa.nulls(rows)) for name in FIELDS}
    objects = Columns(pa.table(named), given.file, given.rows)
    method, account, mark = named
    methods = objects.one_of(method, METHODS, objects.maybe_text(method))
    accounts, marks = objects.maybe_account(account), objects.maybe_number(mark)
    objects.refuse(pc.less_equal(marks, 0), mark, "must be above 0")
    some = pc.or_(pc.is_valid(accounts), pc.is_valid(marks))
    objects.refuse(pc.and_(some, pc.is_null(methods)), method, "must be given")
    return methods, accounts, marks


def _fields(given: Columns, unknown: Unknown, first_row: int) -> dict[str, pa.Array]:
    """Return the objects' fields as columns."""
    values = given.raw(COLUMN)
    records = (given.rows + unknown.passed).tolist()
    if kinds.is_struct(values.type):
        names = [field.name for field in values.type]
        if len(set(names)) < len(names):
            raise SourceError(f"{given.file}: field {COLUMN} has a field twice")
        fields = dict(zip(names, values.flatten(), strict=True))
        for name in set(names) - set(FIELDS):
            if (empty := fields[name].null_count) < len(values):
                field = f"{COLUMN}.{name}"
                unknown.keep_columns({field: fields[name]}, records, first_row)
                unknown[field] -= empty  # most rows are no liquidation
        return fields
    if not (kinds.is_string(values.type) or kinds.is_large_string(values.type)):
        raise given.wrong_kind(COLUMN, "an object, or one in text", values)
    parsed = [_parsed(given, row, text) for row, text in enumerate(_texts(given))]
    for place, each in enumerate(parsed):
        if odd := {f"{COLUMN}.{name}": each[name] for name in each.keys() - set(FIELDS)}:
            unknown.keep(records[place], odd, first_row + place)
    return {name: pa.array([each.get(name) for each in parsed], pa.string()) for name in FIELDS}


def _texts(given: Columns) -> list[str | None]:
    return given.maybe_text(COLUMN).to_pylist()


def _parsed(given: Columns, row: int, text: str | None) -> dict[str, Any]:
    """Return one object, its numbers as text; an empty one where there is none."""
    if text is None:
        return {}
    where = f"{given.file} row {given.rows[row]}: field {COLUMN}"
    try:
        parsed = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise SourceError(f"{where} must be JSON: {error}") from error
    if parsed is None:
        return {}
    if not isinstance(parsed, dict):
        raise SourceError(f"{where} must be an object, is of type {type(parsed).__name__}")
    if type(parsed.get("markPx")) in (int, float):
        parsed["markPx"] = repr(parsed["markPx"])
    for name in FIELDS:
        if not isinstance(parsed.get(name), str | None):
            kind = type(parsed[name]).__name__
            raise SourceError(f"{where}.{name} must be text, is of type {kind}")
    return parsed
