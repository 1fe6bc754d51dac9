import numpy as np
import orjson
import pyarrow as pa
import pytest

from pipelines.sources.artemis_names import NAMES, UNUSED
from pipelines.sources.errors import SourceError
from tests.pipelines.data_artemis_fills import (
    AT,
    MARKET,
    MS,
    TWO,
    fills_of,
    landable,
    record,
    replaced,
    table_of,
)
from tests.rows import account


def test_a_fill_is_read():
    (row, _) = fills_of(TWO).fills.to_pylist()
    assert row == {
        "time_ts": AT,
        "coin": "ETH",
        "account": account(1),
        "px": 4215.9,
        "size": 0.3,
        "is_buy": False,
        "start_position": 0.3,
        "direction": "Close Long",
        "closed_pnl": -1.5,
        "fee": 0.2,
        "fee_token": "USDC",
        "trade_id": 9,
        "order_id": 7,
        "is_taker": True,
        "liquidation_method": "market",
        "liquidated_account": account(2),
        "liquidation_mark_px": 4216.5,
    }


def test_rows_keep_the_contract():
    assert landable(fills_of(TWO).fills).num_rows == 2


def test_decimals_may_be_numbers_and_ids_may_be_text_or_floats():
    given = replaced(TWO, "px", pa.array([4215.9, 4216.0]))
    given = replaced(given, "oid", pa.array(["7", "8"]))
    given = replaced(given, "tid", pa.array([745210434703679.0, 9.0]))
    rows = fills_of(given).fills
    assert rows["px"].to_pylist() == [4215.9, 4216.0]
    assert rows["order_id"].to_pylist() == [7, 8]
    assert rows["trade_id"].to_pylist() == [745210434703679, 9]


@pytest.mark.parametrize(
    ("column", "name"), [(column, name) for column in NAMES for name in NAMES[column]]
)
def test_each_documented_name_of_a_column_is_read(column, name):
    names = [name if each == NAMES[column][0] else each for each in TWO.column_names]
    rows = fills_of(TWO.rename_columns(names))
    assert rows.fills == fills_of(TWO).fills
    assert not rows.unknown


@pytest.mark.parametrize(
    "values",
    [
        pa.array([MS, MS]),
        pa.array([AT, AT], pa.timestamp("ms")),
        pa.array([AT, AT], pa.timestamp("ns", "Asia/Tokyo")),
        pa.array([MS, MS], pa.timestamp("ns")),
        pa.array([MS, MS], pa.timestamp("us", "UTC")),
    ],
    ids=["whole numbers", "without a zone", "with a zone", "ms as ns", "ms as us"],
)
def test_times_are_read_however_they_are_stored(values):
    hour = fills_of(replaced(TWO, "time", values))
    assert hour.fills["time_ts"].to_pylist() == [AT, AT]


def test_times_that_were_stored_as_1970_are_counted_one_by_one():
    ns = np.array([MS, MS * 1_000_000])
    hour = fills_of(replaced(TWO, "time", pa.array(ns).cast(pa.timestamp("ns"))))
    assert hour.fills["time_ts"].to_pylist() == [AT, AT]
    assert hour.corrected == 1
    assert fills_of(TWO).corrected == 0


def test_headers_are_left_out_and_rows_are_still_numbered_as_in_the_file():
    header = {"_metadata": True}
    table = table_of(header, record(_metadata=False), record(2, _metadata=None))
    hour = fills_of(table)
    assert hour.fills["account"].to_pylist() == [account(1), account(2)]
    assert hour.headers == 1
    with pytest.raises(SourceError, match="row 2: field side must be one of A, B, is 'C'"):
        fills_of(table_of(header, record(), record(side="C")))


@pytest.mark.parametrize(
    ("given", "marked"),
    [
        (None, (None, None, None)),
        ({}, (None, None, None)),
        ({"method": "backstop"}, ("backstop", None, None)),
        (MARKET, ("market", account(2), 4216.5)),
    ],
)
def test_a_liquidation_is_an_object_or_its_text(given, marked):
    names = ("liquidation_method", "liquidated_account", "liquidation_mark_px")
    text = None if given is None else orjson.dumps(given).decode()
    for table in (
        table_of(record(liquidation=given)),
        table_of(record(liquidation=text), liquidation=pa.string()),
    ):
        (row,) = fills_of(table).fills.to_pylist()
        assert tuple(row[name] for name in names) == marked


def test_a_deleveraging_is_known_by_its_direction():
    deleveraged = record(dir="Auto-Deleveraging", liquidation=MARKET | {"method": "backstop"})
    rows = fills_of(table_of(deleveraged)).fills
    assert rows["liquidation_method"].to_pylist() == ["adl"]


def test_a_file_without_liquidations_is_read_only_beside_one_with():
    without = TWO.drop_columns(["liquidation"])
    with pytest.raises(SourceError, match=r"0\.parquet: field liquidation is missing"):
        fills_of(without)
    assert fills_of(without, TWO).fills["liquidation_method"].to_pylist() == [
        None,
        None,
        "market",
        None,
    ]


def test_unknown_fields_are_counted_and_documented_ones_are_not():
    odd = {"method": "market", "depth": 1}
    kind = pa.struct([("method", pa.string()), ("depth", pa.int64())])
    table = table_of(
        record(mood=1, liquidation=odd, **dict.fromkeys(UNUSED)), record(2), liquidation=kind
    )
    assert fills_of(table).unknown == {"mood": 2, "liquidation.depth": 1}
    text = table_of(
        record(liquidation=orjson.dumps(odd).decode()), record(2), liquidation=pa.string()
    )
    assert fills_of(text).unknown == {"liquidation.depth": 1}
