from contextlib import suppress
from datetime import UTC, datetime

import numpy as np
import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.archive import Archive
from pipelines.sources.artemis_fill_rows import translated
from pipelines.sources.artemis_fills import (
    artemis,
    hour_of,
    hourly_folders,
    joined,
    read,
    to_fills,
    to_rows,
)
from pipelines.sources.artemis_names import NAMES, NULLABLE, UNUSED
from pipelines.sources.errors import SourceError
from pipelines.sources.hourly_files import unpacked
from pipelines.sources.node_fill_rows import to_fills as node_fills
from tests.pipelines.hostile_tables import MANY, broken_files, odd_tables, parquet_of
from tests.rows import account
from warehouse.contracts.fills import FILLS
from warehouse.contracts.table import TS

FOLDER = "raw/node_fills/hourly/2025/10/10/21"
HOUR = datetime(2025, 10, 10, 21, tzinfo=UTC)
AT = datetime(2025, 10, 10, 21, 15, 3, 250_000, tzinfo=UTC)
MS = int(AT.timestamp() * 1000)
MARKET = {"liquidatedUser": account(2).upper(), "markPx": "4216.5", "method": "market"}
MARKET["liquidatedUser"] = MARKET["liquidatedUser"].replace("X", "x")
OBJECT = pa.struct([(name, pa.string()) for name in MARKET])


def record(holder=1, **others):
    return {
        "user": account(holder),
        "coin": "ETH",
        "px": "4215.9",
        "sz": "0.3",
        "side": "A",
        "time": AT,
        "startPosition": "0.3",
        "dir": "Close Long",
        "closedPnl": "-1.5",
        "hash": "0x00",
        "oid": 7,
        "crossed": True,
        "fee": "0.2",
        "tid": 9,
        "feeToken": "USDC",
        "liquidation": None,
    } | others


def table_of(*records, liquidation=OBJECT):
    names = list(dict.fromkeys(name for each in records for name in each))
    return pa.table(
        {
            name: pa.array(
                [each.get(name) for each in records],
                {"liquidation": liquidation, "time": TS}.get(name),
            )
            for name in names
        }
    )


def replaced(table, name, values):
    return table.set_column(table.column_names.index(name), name, values)


def fills_of(*tables):
    return translated({f"{n}.parquet": table for n, table in enumerate(tables)}, HOUR)


def landable(fills):
    """Hold rows to the contract, as whoever lands them does."""
    rows = fills.append_column("source", pa.repeat("artemis", fills.num_rows))
    return FILLS.check(
        rows.append_column("known_ts", pa.repeat(pa.scalar(AT, TS), fills.num_rows))
    )


TWO = table_of(record(liquidation=MARKET), record(2, side="B", crossed=False))


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


def real_events(real):
    """Yield the venue's own rows of fills, a file of them at a time."""
    for file in sorted(real.glob("**/node_fills_by_block/hourly/*/*.lz4")):
        body = unpacked(file.read_bytes(), file.name)
        blocks = [orjson.loads(line) for line in body.splitlines()]
        events = [event for block in blocks for event in block["events"]]
        if events:
            yield events, node_fills(body, file.name)[0]


def test_real_fills_in_artemis_columns_are_read_as_the_venues_own(real):
    marked = 0
    for events, wanted in real_events(real):
        fills = [{"user": user} | fill for user, fill in events]
        names = ["user", *record()]
        kinds = {"time": pa.timestamp("ns"), "liquidation": OBJECT}
        table = pa.table(
            {name: pa.array([f.get(name) for f in fills], kinds.get(name)) for name in names}
        )
        hour = wanted["time_ts"][0].as_py().replace(minute=0, second=0, microsecond=0)
        read_back = translated({"f": table}, hour)
        assert read_back.fills.to_pylist() == wanted.to_pylist()
        assert read_back.corrected == len(fills)
        marked += len(fills) - read_back.fills["liquidation_method"].null_count
    assert marked == 3_077


def write(root, folder, name, body):
    place = root / folder
    place.mkdir(parents=True, exist_ok=True)
    (place / name).write_bytes(body)


def test_an_hour_is_a_folder_of_files(tmp_path):
    root = tmp_path / "artemis-hyperliquid-data"
    write(root, FOLDER, "b.parquet", parquet_of(TWO))
    write(root, FOLDER, "a.parquet", parquet_of(table_of(record(3))))
    write(root, FOLDER[:-2] + "20", "a.parquet", parquet_of(TWO))
    write(root, FOLDER, "_SUCCESS", b"")
    write(root, FOLDER[:-2] + "24", "a.parquet", parquet_of(TWO))
    archive = artemis(str(tmp_path))
    found = hourly_folders(archive)
    assert found.paths == {HOUR.replace(hour=20): FOLDER[:-2] + "20", HOUR: FOLDER}
    assert found.odd == [f"{FOLDER}/_SUCCESS", f"{FOLDER[:-2]}24/a.parquet"]
    rows, said = to_rows(read(archive, FOLDER), FOLDER)
    assert rows["account"].to_pylist() == [account(3), account(1), account(2)]
    assert not said


def test_corrected_times_are_said_beside_unknown_fields():
    early = replaced(TWO, "time", pa.array([MS, MS], pa.timestamp("ns")))
    _, said = to_rows(joined({"a.parquet": parquet_of(early)}), FOLDER)
    assert said == {"time stored as 1970": 2}


def test_a_folder_without_files_is_said(tmp_path):
    (tmp_path / FOLDER).mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match=rf"no \*\.parquet in {FOLDER}/"):
        read(Archive(str(tmp_path)), FOLDER)


def test_a_truncated_file_is_named():
    body = joined({"a.parquet": parquet_of(TWO), "b.parquet": parquet_of(TWO)[:-9]})
    with pytest.raises(SourceError, match=rf"^{FOLDER}/b\.parquet: cannot be read as Parquet"):
        to_fills(body, FOLDER)


def test_an_hour_without_a_file_is_refused():
    with pytest.raises(SourceError, match=f"^{FOLDER}: must hold a file"):
        to_fills(joined({}), FOLDER)


@pytest.mark.parametrize("folder", ["raw/node_fills/hourly/2025/13/10/21", "2025/10/10/21", ""])
def test_a_folder_that_names_no_hour_is_refused(folder):
    assert hour_of(folder) is None
    with pytest.raises(SourceError, match="must be raw/node_fills/hourly/YYYY/MM/DD/HH"):
        to_fills(joined({}), folder)


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
