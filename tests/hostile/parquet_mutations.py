"""Parquet files that something happened to: their bytes, their columns, their values."""

from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa

from tests.hostile.mutations import harmed, pick
from tests.pipelines.hostile_tables import ODD_COLUMNS, parquet_of

KINDS = [
    *(pa.string(), pa.large_string(), pa.binary(), pa.float32(), pa.float64(), pa.int64()),
    *(pa.int8(), pa.uint64(), pa.bool_(), pa.decimal128(38, 6), pa.timestamp("ms")),
    *(pa.timestamp("us", "UTC"), pa.timestamp("ns", "UTC"), pa.timestamp("ms", "Asia/Tokyo")),
    *(pa.timestamp("us"), pa.date32(), pa.dictionary(pa.int32(), pa.string()), pa.null()),
]
MORE = [
    *(0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 1.5, -0.0, 1e308, 5e-324, 1e-310),
    *(float("nan"), float("inf"), -float("inf"), Decimal("NaN"), Decimal("1.5"), True, None),
    *(
        "",
        " ",
        "\x00",
        "NaN",
        "1e999",
        "٣",
        "../../x",
        "C:\\x",
        "a\nb",
        "\u2028",
        "é",
        "A" * 5000,
    ),
    *("0x" + "gg" * 20, "0x" + "AB" * 20, "0x" + "a" * 40 + "\n", "BTC", "buy", "A", "market"),
    *(b"\xff", datetime(1969, 12, 31, 23, tzinfo=UTC), datetime(9999, 12, 31, 23, tzinfo=UTC)),
    *(
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 2, tzinfo=UTC),
        {"method": "market"},
        [1],
        {},
    ),
]
INSTANTS = [0, -1, 2**40, 2**53, 2**62, 2**63 - 1, -(2**63), -(2**62), 253402300800000]
NAMES = ["mood", "", "\x00", "a\nb", "PX", "__index_level_0__", "é"]


def parquet_mutation(draw, table: pa.Table) -> bytes:
    """Return a file of a table after up to three mutations; a third are of its bytes."""
    for _ in range(int(draw.integers(1, 4))):
        if table.num_columns:
            table = _changed(draw, table)
    options = {"use_dictionary": bool(draw.integers(2)), "compression": pick(draw, CODECS)}
    try:
        body = parquet_of(table, **options)
    except (
        pa.ArrowException,
        ValueError,
    ):  # what Parquet cannot hold, as seconds beyond its ms
        body = b""
    return harmed(draw, body) if not body or draw.random() < 0.33 else body


CODECS = ["none", "snappy", "zstd"]


def _changed(draw, table: pa.Table) -> pa.Table:
    place = int(draw.integers(table.num_columns))
    name = table.column_names[place]
    how = draw.random()
    if how < 0.08:
        return table.remove_column(place)
    if how < 0.14:
        return table.append_column(name, pick(draw, table.columns))
    if how < 0.2:
        names = list(table.column_names)
        names[place] = pick(draw, [*NAMES, *names])
        return table.rename_columns(names)
    if how < 0.27:
        most = int(draw.integers(4)) if table.num_rows else 0
        return table.take(pa.array(draw.integers(max(1, table.num_rows), size=most)))
    if how < 0.33:
        return table.slice(0, int(draw.integers(table.num_rows + 1)))
    return table.set_column(place, name, _column(draw, table.column(place)))


def _column(draw, values: pa.ChunkedArray) -> pa.Array:
    """Return a column in another's place: odd ones, other types, or one odd value."""
    rows, how = len(values), draw.random()
    if how < 0.3:
        odd = pick(draw, ODD_COLUMNS)
        return odd.take(pa.array([n % 2 for n in range(rows)], pa.int64()))
    try:
        if how < 0.5:
            return values.cast(pick(draw, KINDS), safe=False)
        if how < 0.6:
            unit, zone = (
                pick(draw, ["s", "ms", "us", "ns"]),
                pick(draw, [None, "UTC", "+23:59"]),
            )
            given = [pick(draw, INSTANTS) for _ in range(rows)]
            return pa.array(given, pa.timestamp(unit, zone))
        given = values.to_pylist()
        if rows:
            given[int(draw.integers(rows))] = pick(draw, MORE)
        return pa.array(given, values.type if how < 0.9 else None)
    except (pa.ArrowException, ValueError, TypeError, OverflowError, KeyError):
        return pa.nulls(rows, values.type)
