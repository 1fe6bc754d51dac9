"""What harmed payloads have brought to light, each as a case of its own."""

from datetime import UTC, datetime
from decimal import Decimal

import orjson
import pyarrow as pa
import pytest

from pipelines.sources.errors import SourceError
from pipelines.sources.info.fields import Fields
from tests.hostile.adapters import ADAPTERS
from tests.hostile.adapters_of_answers import FULL
from tests.hostile.adapters_of_files import INTEREST, SNAPSHOT
from tests.hostile.adapters_of_imports import SHEET
from tests.hostile.driver import outcome
from tests.pipelines.hostile_tables import NOT_UTF8, parquet_of
from tests.pipelines.test_info_answers import META
from tests.pipelines.test_info_hostile import RATE
from tests.pipelines.test_market_files import READING, universe

HELD = INTEREST.to_arrow().slice(0, 2)
FAR = pa.array([2**62, 0], pa.timestamp("ms", "UTC"))
FARTHER = pa.array([2**62, 0], pa.timestamp("us", "UTC"))
WIDE = pa.array([Decimal("1.5")] * 2, pa.decimal256(60, 10))
ELSEWHERE = pa.array([0, 1], pa.timestamp("us", "Nowhere/None"))


def with_column(table, name, values):
    if name in table.column_names:
        return parquet_of(table.set_column(table.column_names.index(name), name, values))
    return parquet_of(table.append_column(name, values))


def refused(name, body):
    with pytest.raises(SourceError) as raised:
        ADAPTERS[name].read(body)
    said = str(raised.value)
    assert said.isprintable()
    assert len(said) < 400
    return said


@pytest.mark.parametrize(
    ("adapter", "table", "name", "values", "complaint"),
    [
        ("open_interest", HELD, "timestamp", FAR, "row 0: field timestamp must lie from 1970"),
        ("open_interest", HELD, "oi_usd", WIDE, r"field oi_usd must be .*, is decimal256"),
        ("open_interest", HELD, "coin", NOT_UTF8, "cannot be read as Parquet: "),
        ("reservoir", SNAPSHOT, "size", WIDE, r"field size must be .*, is decimal256"),
        ("reservoir", SNAPSHOT, "market", NOT_UTF8, "cannot be read as Parquet: "),
        ("reservoir", SNAPSHOT, "size", pa.array([1.0, float("nan")]), "row 1: .*be finite"),
        ("reservoir", SNAPSHOT, "size", pa.array([5e-324, 1.0]), "row 0: .* size x a price"),
        (
            "reservoir",
            SNAPSHOT,
            "user",
            pa.array(["\u2028", "0x"]),
            "row 0: field user must be",
        ),
        (
            "reservoir",
            SNAPSHOT,
            "leverage_type",
            pa.array(["cross", "C:\\"]),
            "row 1: field lev",
        ),
        ("mapped Parquet", SHEET, "time", FARTHER, "row 0: field time must be between 2009"),
    ],
)
def test_a_column_that_ended_the_thread_or_passed_is_refused(
    adapter, table, name, values, complaint
):
    with pytest.raises(SourceError, match=complaint):
        ADAPTERS[adapter].read(with_column(table, name, values))
    refused(adapter, with_column(table, name, values))


@pytest.mark.parametrize("values", [WIDE, ELSEWHERE, NOT_UTF8, pa.array([[1], None])])
@pytest.mark.parametrize("name", ["mood", "a\x00b"])
def test_a_column_that_nobody_knows_stops_none_that_is_known(name, values):
    for adapter, table in (("open_interest", HELD), ("reservoir", SNAPSHOT)):
        assert outcome(ADAPTERS[adapter], with_column(table, name, values)) == "read"


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (READING.rpartition(",")[0], "cannot be read as CSV"),
        (READING.replace("22:10:00.5", "22:10:60"), "line 2: field ts must be a UTC timestamp"),
        (READING.replace("-05T", "- 5T"), "line 2: field ts must be a UTC timestamp"),
        (READING.replace("2026-", "1926-"), "line 2: field ts must lie from 1970 to 9999"),
        (READING.replace(",100.0,", ",\u2028,"), "line 2: field markPx must be a number"),
    ],
)
def test_a_line_of_the_universe_that_says_less_or_something_else_is_refused(line, complaint):
    assert complaint in refused("universe", universe(line).encode())


@pytest.mark.parametrize("name", ["markPx", "oraclePx", "midPx"])
def test_a_context_without_a_price_above_zero_names_itself(name):
    body = orjson.dumps([META, [FULL, FULL | {name: "0.0"}]])
    said = refused("contexts", body)
    assert said == f"metaAndAssetCtxs 1: field {name} must be above 0, is '0.0'"


def test_a_millisecond_far_from_now_is_the_same_one():
    at = Fields({"time": 253402300799999}, "book").moment("time")
    assert at == datetime(9999, 12, 31, 23, 59, 59, 999_000, UTC)


@pytest.mark.parametrize("mark", ["\u2028", "\u202e", "\x85", "\n", "\x1b[31m", "\ufeff"])
def test_a_mark_that_ends_a_line_or_turns_it_is_shown_as_its_number(mark):
    fill = ADAPTERS["node_fills"].payload.replace(b'"BTC"', b"7")
    assert "must be a string, is 7" in refused("node_fills", fill)
    odd = ADAPTERS["node_fills"].payload.replace(b'"110000.0"', orjson.dumps(mark))
    assert "field px: must be a decimal string" in refused("node_fills", odd)
    assert "is of" in refused("fundingHistory", orjson.dumps([RATE | {"coin": f"B{mark}"}]))
