"""This module makes tables and files that are not as documented, for tests of adapters."""

import io
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import assume
from hypothesis import strategies as st

from tests.effort import tries

MANY = tries(40, 1000)

NOT_UTF8 = pa.array([b"\xff", b"\xfe"], pa.binary()).view(pa.string())
# Columns that take the place of a documented one, each of two rows.
ODD_COLUMNS = [
    pa.nulls(2),
    pa.nulls(2, pa.string()),
    pa.nulls(2, pa.float64()),
    pa.array([0, -1]),
    pa.array([2**63, 2**64 - 1], pa.uint64()),
    pa.array([2**63 - 1, -(2**63)]),
    pa.array([float("nan"), float("inf")]),
    pa.array([1e308, -1e308]),
    pa.array([1.5, None], pa.float16()),
    pa.array([True, False]),
    pa.array(["", "\x00"]),
    pa.array(["1.5", "1e999"]),
    pa.array(["NaN", "-Infinity"]),
    pa.array(["9" * 39, "٣"]),
    pa.array(["0x" + "AB" * 20, "buy"], pa.large_string()),
    pa.array(["buy", "B"]).dictionary_encode(),
    pa.array([b"\xff\xfe", b"buy"], pa.binary()),
    NOT_UTF8,
    pa.array([Decimal("9" * 38), Decimal("-1")], pa.decimal128(38, 0)),
    pa.array([Decimal("1.5"), None], pa.decimal256(60, 10)),
    pa.array([2**62, -(2**63)], pa.timestamp("s", "UTC")),
    pa.array([2**63 - 1, 0], pa.timestamp("ns")),
    pa.array([0, 1_760_000_000_000], pa.timestamp("ms", "Asia/Tokyo")),
    pa.array([1, 2], pa.timestamp("us", "Nowhere/None")),
    pa.array([datetime(2025, 10, 10, tzinfo=UTC), None], pa.timestamp("us", "UTC")),
    pa.array([0, 1], pa.date32()),
    pa.array([0, 1], pa.duration("ns")),
    pa.array([[1], None], pa.list_(pa.int64())),
    pa.array([{"method": "market"}, None]),
    pa.array([{"method": 7, "markPx": []}, {"method": None}]),
    pa.array(['{"method": "market"}', "[[["]),
    pa.array(["[" * 2000, "null"]),
]


@st.composite
def odd_tables(draw, table):
    """Make ``table``, of two rows, with some columns dropped, doubled, renamed or replaced."""
    for name in draw(st.lists(st.sampled_from(table.column_names), min_size=1, max_size=3)):
        if table.column_names.count(name) != 1:
            continue
        place = table.column_names.index(name)
        match draw(st.sampled_from(["drop", "double", "rename", "replace", "replace"])):
            case "drop":
                table = table.remove_column(place)
            case "double":
                table = table.append_column(name, table[name])
            case "rename":
                names = list(table.column_names)
                names[place] = draw(st.text(max_size=4))
                table = table.rename_columns(names)
            case _:
                column = draw(st.sampled_from(ODD_COLUMNS))
                table = table.set_column(place, name, column)
    return table


@st.composite
def broken_files(draw, body):
    """Make ``body``, the bytes of a file, cut short or with some bytes changed."""
    if draw(st.booleans()):
        return body[: draw(st.integers(0, len(body) - 1))]
    broken = bytearray(body)
    # Most of the bytes are the footer's or a page's header: all are as likely to be hit.
    for place in draw(st.lists(st.integers(0, len(body) - 1), min_size=1, max_size=4)):
        broken[place] = draw(st.integers(0, 255))
    assume(bytes(broken) != body)
    return bytes(broken)


def parquet_of(table, **options):
    sink = io.BytesIO()
    with suppress(pa.ArrowNotImplementedError):  # a type that Parquet cannot hold
        pq.write_table(table, sink, **options)
    return sink.getvalue()
