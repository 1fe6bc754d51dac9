"""This module translates Artemis' rows of fills to columns of ``fills``.

Columns are the venue's own fields of a fill, under one of the names in
:mod:`pipelines.sources.artemis_names`; decimals come
as text or as numbers.  Early files (August 2025) hold milliseconds in a column that says
nanoseconds, so that they read as January 1970: a time that is not near its file's hour, but is
when its number is taken for milliseconds, is taken so and counted.  Rows with ``_metadata``
true are headers.

A file without the column ``liquidation`` does not say that there was none: it is read only
beside another of its hour that has the column.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as kinds

from pipelines.sources.arrow_columns import Columns
from pipelines.sources.artemis_liquidations import liquidations
from pipelines.sources.artemis_names import HEADER, LIQUIDATION, NULLABLE, UNUSED, names_of
from pipelines.sources.errors import SourceError
from pipelines.sources.unknown import Unknown, odd_columns
from warehouse.contracts.fills import FILLS
from warehouse.contracts.table import TS

DELEVERAGED = "Auto-Deleveraging"
# Files are cut by arrival, an hour's fills may lie in a neighbour's; a day is far more.
NEAR = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Hour(NamedTuple):
    """A translated hour.

    Attributes
    ----------
    fills
        Columns of ``fills`` but ``source`` and ``known_ts``, in the order of the files.
    unknown
        Fields that are not known: in how many rows, and what each held.
    corrected
        Times that were stored as 1970.
    headers
        Rows that were no fills.
    """

    fills: pa.Table
    unknown: Unknown
    corrected: int
    headers: int


def translated(tables: Mapping[str, pa.Table], hour: datetime) -> Hour:
    """Translate the files of one hour to the ``fills`` contract.  Pure.

    Parameters
    ----------
    tables
        Name of a file -> its rows; one at least.
    hour
        Which the files' folder is named after.

    Raises
    ------
    SourceError
        If a column that ``fills`` needs is missing, of another type or null, if a value is not
        as documented, or a time is not within a day of ``hour``; names file, row and field.

    Examples
    --------
    >>> hour = datetime(2025, 8, 17, 5, tzinfo=UTC)
    >>> fill = {
    ...     "user": "0x" + "AB" * 20, "coin": "ETH", "px": "4215.9", "sz": 0.3, "side": "A",
    ...     "startPosition": "0.3", "dir": "Close Long", "closedPnl": "-1.5", "oid": 7,
    ...     "crossed": True, "fee": "0.2", "tid": 9, "feeToken": "USDC", "liquidation": None,
    ... }
    >>> table = pa.Table.from_pylist([fill]).append_column(
    ...     "time", pa.array([1755406800250], pa.timestamp("ns"))
    ... )
    >>> read = translated({"a.parquet": table}, hour)
    >>> read.fills["time_ts"][0].as_py().isoformat(), read.corrected
    ('2025-08-17T05:00:00.250000+00:00', 1)
    """
    told = any(LIQUIDATION in table.column_names for table in tables.values())
    unknown, row = Unknown(), 0
    parts, corrected, headers = [], 0, 0
    for file, table in tables.items():
        if not told:
            raise SourceError(f"{file}: field {LIQUIDATION} is missing")
        given = _without_headers(Columns(table, file))
        headers += table.num_rows - given.table.num_rows
        names = names_of(given)
        used = {*names.values(), *UNUSED, HEADER, LIQUIDATION}
        records = (given.rows + unknown.passed).tolist()
        unknown.keep_columns(odd_columns(given.table, used), records, row)
        times, wrong = _times(given, names["time_ts"], hour)
        corrected += wrong
        parts.append(_fills(given, names, times, unknown, row))
        unknown.passed += table.num_rows
        row += given.table.num_rows
    return Hour(pa.concat_tables(parts), unknown, corrected, headers)


def _without_headers(given: Columns) -> Columns:
    if HEADER not in given.table.column_names:
        return given
    marks = given.raw(HEADER)
    if kinds.is_null(marks.type):
        return given
    if not kinds.is_boolean(marks.type):
        raise given.wrong_kind(HEADER, "true or false", marks)
    return given.keep(pc.invert(pc.fill_null(marks, False)))


def _times(given: Columns, name: str, hour: datetime) -> tuple[pa.Array, int]:
    """Return instants, and how many of them were stored as if in 1970."""
    values = given.present(given.raw(name), name)
    low, high = ((hour + way * NEAR - _EPOCH) // timedelta.resolution for way in (-1, 1))
    if kinds.is_timestamp(values.type):
        numbers = np.asarray(values.cast(pa.int64()))
        typed = np.asarray(given.instants(name, values).cast(pa.int64()))
    elif kinds.is_integer(values.type):
        numbers = np.asarray(given.integer(name))
        typed = np.full(len(numbers), -1)
    else:
        raise given.wrong_kind(name, "a timestamp or milliseconds", values)
    as_typed = (low <= typed) & (typed < high)
    as_ms = ~as_typed & (low <= numbers * 1000.0) & (numbers * 1000.0 < high)
    must = f"must lie within a day of {hour:%Y-%m-%d %H:%M}"
    given.refuse(pa.array(~(as_typed | as_ms)), name, must)
    us = pa.array(np.where(as_typed, typed, np.where(as_ms, numbers, 0) * 1000))
    return us.cast(TS), int(as_ms.sum()) if kinds.is_timestamp(values.type) else 0


def _fills(
    given: Columns,
    names: dict[str, str],
    times: pa.Array,
    unknown: Unknown,
    first_row: int,
) -> pa.Table:
    """Return the columns of ``fills``; raise where one is not as documented."""
    side = given.one_of(names["is_buy"], ("A", "B"), given.text(names["is_buy"]))
    columns = {"time_ts": times, "is_buy": pc.equal(side, "B")}
    for column in ("coin", "direction", "fee_token"):
        columns[column] = _none(given, pa.string())
        if column in names:
            optional = column in NULLABLE
            values = (given.maybe_text if optional else given.text)(names[column])
            given.refuse(pc.equal(values, ""), names[column], "must not be empty")
            columns[column] = values
    for column in ("px", "size", "start_position", "closed_pnl", "fee"):
        columns[column] = _none(given, pa.float64())
        if column in names:
            values = given.maybe_number(names[column])
            if column not in NULLABLE:
                given.present(values, names[column])
            columns[column] = values
    for column in ("px", "size"):
        given.refuse(pc.less(columns[column], 0), names[column], "must be 0 or more")
    method, account, mark = liquidations(given, unknown, first_row)
    columns |= {
        "account": given.account(names["account"]),
        "trade_id": given.integer(names["trade_id"], read_text=True),
        "order_id": given.integer(names["order_id"], read_text=True),
        "is_taker": given.truth(names["is_taker"]),
        "liquidation_method": pc.if_else(
            pc.equal(columns["direction"], DELEVERAGED), "adl", method
        ),
        "liquidated_account": account,
        "liquidation_mark_px": mark,
    }
    order = [column.name for column in FILLS.columns if column.name in columns]
    return pa.table({name: columns[name] for name in order})


def _none(given: Columns, kind: pa.DataType) -> pa.Array:
    return pa.nulls(given.table.num_rows, kind)
