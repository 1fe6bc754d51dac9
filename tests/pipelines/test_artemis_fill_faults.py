from contextlib import suppress

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.artemis_fills import (
    joined,
    to_fills,
)
from pipelines.sources.artemis_names import NAMES, NULLABLE
from pipelines.sources.errors import SourceError
from tests.pipelines.data_artemis_fills import (
    FOLDER,
    MARKET,
    MS,
    TWO,
    fills_of,
    landable,
    record,
    replaced,
    table_of,
)
from tests.pipelines.hostile_tables import MANY, broken_files, odd_tables, parquet_of


@pytest.mark.parametrize(
    "wrong",
    [
        pa.array([MS, 0]),
        pa.array([MS, MS // 1000]),
        pa.array([MS, MS + 86_400_000]),
        pa.array([MS * 1_000_000, 5], pa.timestamp("ns")),
    ],
)
def test_a_time_that_is_not_near_its_file_is_refused(wrong):
    with pytest.raises(
        SourceError,
        match=r"0\.parquet row 1: field time must lie within a day of 2025-10-10 21",
    ):
        fills_of(replaced(TWO, "time", wrong))


@pytest.mark.parametrize("column", NAMES)
def test_a_missing_column_is_named_where_the_contract_needs_it(column):
    table = TWO.drop_columns([NAMES[column][0]])
    if column in NULLABLE:
        assert fills_of(table).fills[column].to_pylist() == [None, None]
    else:
        with pytest.raises(SourceError, match=rf"field {NAMES[column][0]}.* is missing"):
            fills_of(table)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"user": "0xAB"}, "field user must be 0x and 40 digits, is '0xAB'"),
        ({"user": None}, "field user must not be null"),
        ({"px": "-1"}, "field px must be 0 or more"),
        ({"px": "NaN"}, "field px must be a number, is 'NaN'"),
        ({"px": "1e999"}, "field px must be a number|field px must be finite"),
        ({"px": None}, "field px must not be null"),
        ({"coin": ""}, "field coin must not be empty"),
        ({"crossed": None}, "field crossed must not be null"),
        ({"liquidation": MARKET | {"method": "cruel"}}, "must be one of market, backstop"),
        ({"liquidation": MARKET | {"method": None}}, "liquidation.method must be given"),
        ({"liquidation": MARKET | {"markPx": "0"}}, "liquidation.markPx must be above 0"),
        ({"liquidation": MARKET | {"liquidatedUser": "me"}}, "must be 0x and 40 digits"),
    ],
)
def test_what_is_not_as_documented_names_file_row_and_field(changes, complaint):
    with pytest.raises(SourceError, match=rf"^1\.parquet row 1: (field )?.*({complaint})"):
        fills_of(TWO, table_of(record(), record(**changes)))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "must be JSON"),
        ("[]", "must be an object, is of type list"),
        ('{"method": 7}', r"\.method must be text, is of type int"),
        ('{"method": "market", "markPx": [1]}', "markPx must be text, is of type list"),
        ("[" * 5000, "must be JSON"),
    ],
)
def test_text_that_is_no_liquidation_is_refused(text, complaint):
    table = table_of(record(), record(liquidation=text), liquidation=pa.string())
    with pytest.raises(
        SourceError, match=rf"^0\.parquet row 1: field liquidation.*{complaint}"
    ):
        fills_of(table)


@given(table=odd_tables(TWO))
@MANY
def test_a_mutated_table_is_refused_or_keeps_the_contract(table):
    with suppress(SourceError):
        landable(fills_of(table).fills)


@given(body=broken_files(joined({"a.parquet": parquet_of(TWO), "b.parquet": parquet_of(TWO)})))
@MANY
def test_broken_bytes_are_refused_or_read(body):
    with suppress(SourceError):
        to_fills(body, FOLDER)


@given(body=st.binary(max_size=60))
@MANY
def test_junk_instead_of_an_hour_is_refused(body):
    with pytest.raises(SourceError):
        to_fills(body, FOLDER)
