import io
import os
from collections import Counter
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given

from pipelines.sources.archive import Archive
from pipelines.sources.errors import SourceError
from pipelines.sources.hourly_files import unpacked
from pipelines.sources.node_fill_rows import to_fills as node_fills
from pipelines.sources.parquet_files import pieces
from pipelines.sources.reservoir_fill_rows import UNUSED, USED, to_fills
from pipelines.sources.reservoir_fills import (
    dexes,
    fill_files,
    known_ts,
    read,
    reservoir_fills,
)
from tests.pipelines.hostile_tables import MANY, broken_files, odd_tables, parquet_of
from tests.rows import account
from warehouse.contracts.fills import FILLS

AT = datetime(2025, 10, 10, 21, 15, 3, 250_000, tzinfo=UTC)
MONEY = pa.decimal128(20, 10)
KINDS = {
    **dict.fromkeys(
        ("price", "size", "start_position", "realized_pnl", "fee", "liquidation_mark_px"), MONEY
    ),
    "timestamp": pa.timestamp("us", "UTC"),
    "order_id": pa.uint64(),
    "trade_id": pa.uint64(),
    "liquidation_method": pa.string(),
}


def record(holder=1, **others):
    return {
        "coin": "ETH",
        "asset_class": "perp",
        "address": account(holder).upper().replace("X", "x"),
        "side": "sell",
        "price": Decimal("4215.9"),
        "size": Decimal("0.3"),
        "timestamp": AT,
        "direction": "Close Long",
        "start_position": Decimal("0.3"),
        "realized_pnl": Decimal("-1.5"),
        "fee": Decimal("0.2"),
        "fee_token": "USDC",
        "crossed": True,
        "is_liquidation": False,
        "liquidation_mark_px": None,
        "liquidation_method": None,
        "order_id": 7,
        "trade_id": 9,
    } | others


def table_of(*records):
    names = list(records[0])
    return pa.table(
        {name: pa.array([each[name] for each in records], KINDS.get(name)) for name in names}
    )


def landable(fills):
    """Hold rows to the contract, as whoever lands them does."""
    rows = fills.append_column("source", pa.repeat("reservoir", fills.num_rows))
    known = pa.repeat(pa.scalar(AT, KINDS["timestamp"]), fills.num_rows)
    rows = rows.append_column("known_ts", known)
    return FILLS.check(rows)


LIQUIDATED = {
    "is_liquidation": True,
    "liquidation_mark_px": Decimal("4216.5"),
    "liquidation_method": "market",
}
TWO = table_of(record(), record(2, side="buy", **LIQUIDATED))


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


def write(root, day, *records, prefix="by_dex/hyperliquid/fills/perp/all", **options):
    folder = root / prefix / f"date={day}"
    folder.mkdir(parents=True)
    pq.write_table(table_of(*records), folder / "fills.parquet", **options)
    return f"{prefix}/date={day}/fills.parquet"


def test_files_are_found_by_dex_and_day(tmp_path):
    days = [write(tmp_path, f"2025-10-{day}", record()) for day in ("11", "09", "10")]
    write(tmp_path, "2025-10-10", record(), prefix="by_dex/xyz/fills/perp/all")
    write(tmp_path, "2025-10-10", record(), prefix="global/fills/raw")
    write(tmp_path, "2025-10-99", record(), prefix="by_dex/xyz/fills/perp/all")
    (tmp_path / "by_dex/late/snapshots").mkdir(parents=True)
    archive = reservoir_fills(str(tmp_path))
    assert dexes(archive) == ["hyperliquid", "xyz"]
    assert fill_files(archive, date(2025, 10, 10), date(2025, 10, 11)) == {
        date(2025, 10, 10): days[2]
    }
    assert list(fill_files(archive)) == [date(2025, 10, day) for day in (9, 10, 11)]
    assert list(fill_files(archive, dex="xyz")) == [date(2025, 10, 10)]
    assert fill_files(archive, dex=None)[date(2025, 10, 10)].startswith("global/fills/raw/")


def test_the_bucket_may_be_a_folder_of_the_root(tmp_path):
    write(tmp_path / "hydromancer-reservoir", "2025-10-10", record())
    assert len(fill_files(reservoir_fills(str(tmp_path)))) == 1


def test_a_root_without_fills_says_what_it_looked_for(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"holds by_dex/ or global/fills/raw/"):
        reservoir_fills(str(tmp_path))


def test_a_day_is_known_an_hour_after_the_midnight_that_follows_it():
    assert known_ts(date(2025, 12, 31)) == datetime(2026, 1, 1, 1, tzinfo=UTC)


def test_a_file_is_read_in_pieces_that_know_their_rows(tmp_path):
    path = write(tmp_path, "2025-10-10", *(record(n) for n in range(1, 11)), row_group_size=4)
    found = list(read(Archive(str(tmp_path)), path, at_once=3))
    assert [first for first, _ in found] == [0, 3, 4, 7, 8]
    fills = pa.concat_tables([to_fills(rows, path, first).fills for first, rows in found])
    assert fills["account"].to_pylist() == [account(n) for n in range(1, 11)]


def test_columns_that_are_not_used_are_not_fetched_but_are_still_seen(tmp_path):
    hashes = [record(tx_hash=os.urandom(2000).hex(), novelty=n) for n in range(200)]
    path = write(tmp_path, "2025-10-10", *hashes, compression="none", use_dictionary=False)
    fetched = 0

    class Counting(io.BytesIO):
        def read(self, size=-1):
            nonlocal fetched
            body = super().read(size)
            fetched += len(body)
            return body

    body = (tmp_path / path).read_bytes()
    ((_, rows),) = pieces(Counting(body), path, USED, 1000)
    assert fetched < 100_000 < 800_000 < len(body)
    assert to_fills(rows, path).unknown == {"novelty": 200}


def test_a_day_without_fills_has_none():
    empty = io.BytesIO(parquet_of(TWO.slice(0, 0)))
    counts = [to_fills(rows, "f").fills.num_rows for _, rows in pieces(empty, "f", USED, 9)]
    assert sum(counts) == 0
    assert to_fills(TWO.slice(0, 0), "f").fills.num_rows == 0


def test_a_truncated_file_is_named(tmp_path):
    path = write(tmp_path, "2025-10-10", record())
    file = tmp_path / path
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(SourceError, match=rf"^{path}: cannot be read as Parquet"):
        list(read(Archive(str(tmp_path)), path))


@given(table=odd_tables(TWO))
@MANY
def test_a_mutated_table_is_refused_or_keeps_the_contract(table):
    with suppress(SourceError):
        landable(to_fills(table, "f").fills)


@given(body=broken_files(parquet_of(TWO, compression="zstd")))
@MANY
def test_broken_bytes_are_refused_or_keep_the_contract(body):
    with suppress(SourceError):
        for first, rows in pieces(io.BytesIO(body), "f", USED, 100):
            landable(to_fills(rows, "f", first).fills)
