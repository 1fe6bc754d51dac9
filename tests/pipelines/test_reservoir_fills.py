from collections import Counter
from contextlib import suppress
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given

from pipelines.sources.errors import SourceError
from pipelines.sources.hourly_files import unpacked
from pipelines.sources.node_fill_rows import to_fills as node_fills
from pipelines.sources.reservoir_fill_rows import UNUSED, USED, to_fills
from tests.pipelines.data_reservoir_fills import AT, LIQUIDATED, TWO, landable, record, table_of
from tests.pipelines.hostile_tables import MANY, odd_tables
from tests.rows import account


def test_a_fill_is_read():
    (row,) = to_fills(table_of(record()), "f").fills.to_pylist()
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
        "liquidation_method": None,
        "liquidated_account": None,
        "liquidation_mark_px": None,
    }


def test_rows_keep_the_contract():
    assert landable(to_fills(TWO, "f").fills).num_rows == 2


@pytest.mark.parametrize(
    ("changes", "method", "liquidated"),
    [
        ({}, "market", None),
        ({"crossed": False, "direction": "Open Long"}, "market", None),
        (
            {
                "liquidation_method": "backstop",
                "crossed": False,
                "direction": "Liquidated Isolated Short",
            },
            "backstop",
            account(1),
        ),
        (
            {"liquidation_method": "backstop", "direction": "Liquidated Cross Long"},
            "backstop",
            None,
        ),
        ({"liquidation_method": "backstop", "direction": "Auto-Deleveraging"}, "adl", None),
        ({"liquidation_method": "adl", "direction": "Auto-Deleveraging"}, "adl", None),
        (
            {
                "liquidation_method": None,
                "is_liquidation": False,
                "direction": "Auto-Deleveraging",
            },
            "adl",
            None,
        ),
    ],
)
def test_liquidations_are_marked_and_whose_only_where_one_row_proves_it(
    changes, method, liquidated
):
    (row,) = to_fills(table_of(record(**LIQUIDATED | changes)), "f").fills.to_pylist()
    assert (row["liquidation_method"], row["liquidated_account"]) == (method, liquidated)
    assert row["liquidation_mark_px"] == 4216.5


def test_a_mark_beside_no_liquidation_is_not_one_of_a_liquidation():
    rows = to_fills(table_of(record(liquidation_mark_px=Decimal(0))), "f").fills
    assert rows["liquidation_mark_px"].to_pylist() == [None]


def test_times_are_instants_whatever_their_zone_and_unit():
    given = TWO["timestamp"].cast(pa.timestamp("ns", "Asia/Tokyo"))
    table = TWO.set_column(TWO.column_names.index("timestamp"), "timestamp", given)
    assert to_fills(table, "f").fills["time_ts"].to_pylist() == [AT, AT]


def test_spot_rows_are_left_out_and_counted():
    piece = to_fills(table_of(record(asset_class="spot", fee=None), record(2)), "f")
    assert piece.fills["account"].to_pylist() == [account(2)]
    assert piece.spot == 1


def test_unknown_fields_are_counted_and_documented_ones_are_not():
    documented = dict.fromkeys(UNUSED, "x")
    piece = to_fills(table_of(record(**documented, mood=1), record(**documented, mood=2)), "f")
    assert piece.unknown == {"mood": 2}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"side": "B"}, "field side must be one of buy, sell, is 'B'"),
        ({"address": "0xAB"}, "field address must be 0x and 40 digits, is '0xAB'"),
        ({"price": None}, "field price must not be null"),
        ({"price": Decimal("-1")}, "field price must be 0 or more, is Decimal"),
        ({"coin": ""}, "field coin must not be empty"),
        ({"order_id": 2**63}, r"field order_id must be below 2\*\*63, is 9223372036854775808"),
        ({"asset_class": "option"}, "field asset_class must be one of perp, spot, is 'option'"),
        ({"crossed": None}, "field crossed must not be null"),
        (LIQUIDATED | {"liquidation_method": "cruel"}, "must be one of market, backstop, adl"),
        (LIQUIDATED | {"liquidation_method": None}, "must be given where is_liquidation"),
        (LIQUIDATED | {"is_liquidation": False}, "must be null where not is_liquidation"),
        (LIQUIDATED | {"liquidation_mark_px": Decimal(0)}, "mark_px must be above 0"),
    ],
)
def test_what_is_not_as_documented_names_file_row_and_field(changes, complaint):
    # The row before is of a spot market: rows are numbered as the file has them.
    table = table_of(record(asset_class="spot"), record(), record(**changes))
    with pytest.raises(SourceError, match=rf"^f\.parquet row 102: .*{complaint}"):
        to_fills(table, "f.parquet", 100)


@pytest.mark.parametrize("name", USED)
def test_a_missing_column_is_named(name):
    with pytest.raises(SourceError, match=rf"^f: field {name} is missing"):
        to_fills(TWO.drop_columns([name]), "f")


@pytest.mark.parametrize(
    ("name", "values", "complaint"),
    [
        ("price", ["1", "2"], "must be a number, is string"),
        ("price", [1.5, float("nan")], "must be finite, is nan"),
        ("trade_id", [1.0, 2.0], "must be a whole number, is double"),
        ("timestamp", [0, 1], "must be a timestamp with a time zone, is int64"),
        ("crossed", [0, 1], "must be true or false, is int64"),
        ("side", [1, 2], "must be text, is int64"),
    ],
)
def test_a_column_of_another_type_is_refused(name, values, complaint):
    table = TWO.set_column(TWO.column_names.index(name), name, pa.array(values))
    with pytest.raises(SourceError, match=f"field {name} {complaint}"):
        to_fills(table, "f")


def test_real_fills_in_reservoirs_columns_are_read_as_the_venues_own(real):
    """Times, decimals and marks agree; whose liquidation it was is right where it is told."""
    own = Counter()
    for file in sorted(real.glob("**/node_fills_by_block/hourly/*/*.lz4")):
        wanted = node_fills(unpacked(file.read_bytes(), file.name), file.name)[0]
        if not wanted.num_rows:
            continue
        money = {
            name: wanted[name].cast(pa.string()).cast(pa.decimal128(38, 14))
            for name in (
                "px",
                "size",
                "start_position",
                "closed_pnl",
                "fee",
                "liquidation_mark_px",
            )
        }
        given = pa.table(
            {
                "coin": wanted["coin"],
                "asset_class": pa.repeat("perp", wanted.num_rows),
                "address": wanted["account"],
                "side": pc.if_else(wanted["is_buy"], "buy", "sell"),
                "price": money["px"],
                "size": money["size"],
                "timestamp": wanted["time_ts"],
                "direction": wanted["direction"],
                "start_position": money["start_position"],
                "realized_pnl": money["closed_pnl"],
                "fee": money["fee"],
                "fee_token": wanted["fee_token"],
                "crossed": wanted["is_taker"],
                "is_liquidation": pc.is_valid(wanted["liquidation_method"]),
                "liquidation_mark_px": money["liquidation_mark_px"],
                "liquidation_method": wanted["liquidation_method"],
                "order_id": wanted["order_id"].cast(pa.uint64()),
                "trade_id": wanted["trade_id"].cast(pa.uint64()),
            }
        )
        fills = to_fills(given, file.name).fills
        names = [name for name in fills.column_names if name != "liquidated_account"]
        assert fills.select(names).to_pylist() == wanted.select(names).to_pylist()
        pairs = zip(
            fills["liquidated_account"].to_pylist(),
            wanted["liquidated_account"].to_pylist(),
            strict=True,
        )
        own.update(told == true for told, true in pairs if told is not None)
    assert own == {True: 187}


@given(table=odd_tables(TWO))
@MANY
def test_a_mutated_table_is_refused_or_keeps_the_contract(table):
    with suppress(SourceError):
        landable(to_fills(table, "f").fills)
