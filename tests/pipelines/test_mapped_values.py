import math
from datetime import timedelta

import pyarrow as pa
import pytest

from pipelines.sources.errors import SourceError
from pipelines.sources.imports.mapped_file import to_rows
from tests.pipelines.data_mapping import AT, MS, csv, line, mapping, parquet, rows
from tests.rows import account


def test_delimiter_decimal_comma_and_words_for_missing():
    how = mapping(
        'delimiter = ";"\ndecimal = ","\nmissing = ["", "n/a"]', {"entry_px": '"entry"'}
    )
    text = f"time;wallet;asset;side;qty;usd;entry\n{MS};{account(1)};BTC;BUY;2,5;1,75e5;n/a\n"
    (row,) = rows(text.encode(), how)
    assert (row["size"], row["mark_px"], row["entry_px"]) == (2.5, 70_000.0, None)


def test_a_column_that_is_optional_may_be_absent_and_another_may_not():
    (row,) = rows(
        csv(line()), mapping(columns={"leverage": '{ column = "lev", optional = true }'})
    )
    assert row["leverage"] is None
    with pytest.raises(SourceError, match=r"^mine: field qtty is missing; did you mean qty\?$"):
        rows(csv(line()), mapping(columns={"size": '"qtty"'}))


def test_prices_not_above_0_are_read_as_missing_and_counted():
    how = mapping(columns={"liquidation_px": '{ column = "liq", positive_or_missing = true }'})
    header = "time,wallet,asset,side,qty,usd,liq"
    body = csv(line() + ",0", line(wallet=account(2)) + ",60000", header=header)
    imported = to_rows({"mine.csv": body}, how)
    held = imported.tables[0][1].to_pylist()
    assert [(row["liquidation_px"], row["liquidation_px_source"]) for row in held] == [
        (None, None),
        (60_000.0, "venue"),
    ]
    assert imported.notes == ["1 read as missing: liquidation_px: not above 0"]
    assert imported.tables[1][1]["px_venue"].to_pylist() == [1]


def test_of_several_columns_the_only_one_with_a_value_counts_and_two_are_not_known():
    how = mapping(
        columns={
            "leverage": '{ only_of = ["cross", "iso"] }',
            "leverage_type": '{ which_of = { cross = "cross", isolated = "iso" } }',
        }
    )
    header = "time,wallet,asset,side,qty,usd,cross,iso"
    ends = (",10,", ",0,20", ",,", ",10,20")
    body = csv(*(line(wallet=account(n)) + end for n, end in enumerate(ends)), header=header)
    imported = to_rows({"mine.csv": body}, how)
    held = imported.tables[0][1].to_pylist()
    assert [(row["leverage"], row["leverage_type"]) for row in held] == [
        (10.0, "cross"),
        (20.0, "isolated"),
        (None, None),
        (None, None),
    ]
    assert len(imported.notes) == 2


@pytest.mark.parametrize(
    ("entry", "text", "says"),
    [
        ('unit = "s"', "1770292800", AT),
        ('unit = "s"', "1770292800.5", AT + timedelta(seconds=0.5)),
        ('unit = "us"', "1770292800000001", AT + timedelta(microseconds=1)),
        ('unit = "ns"', "1770292800000001999", AT + timedelta(microseconds=1)),
        ('unit = "iso"', "2026-02-05T14:00:00.000001+02:00", AT + timedelta(microseconds=1)),
        ('unit = "iso", zone = "UTC"', "2026-02-05 12:00", AT),
        ('unit = "iso", zone = "UTC"', "2026-02-05", AT - timedelta(hours=12)),
    ],
)
def test_instants_in_every_unit(entry, text, says):
    how = mapping(columns={"snapshot_ts": f'{{ column = "time", {entry} }}'})
    assert rows(csv(line(time=text)), how)[0]["snapshot_ts"] == says


def test_parquet_keeps_its_types():
    how = mapping(
        'format = "parquet"',
        {"snapshot_ts": '{ column = "time" }', "size": '"qty"', "entry_px": '"entry"'},
    )
    body = parquet(
        time=pa.array([AT], pa.timestamp("ns", "Europe/Paris")),
        wallet=pa.array([account(1)]).dictionary_encode(),
        asset=pa.array(["BTC"], pa.large_string()),
        qty=pa.array([-2]),
        usd=pa.array([140_000.0], pa.float32()),
        entry=pa.array([None], pa.float64()),
    )
    (row,) = rows(body, how)
    assert (row["snapshot_ts"], row["size"], row["entry_px"]) == (AT, -2.0, None)


def test_a_timestamp_of_parquet_without_a_zone_needs_one():
    made = {"wallet": [account(1)], "asset": ["BTC"], "qty": [1.0], "usd": [70_000.0]}
    naive = parquet(time=pa.array([AT.replace(tzinfo=None)], pa.timestamp("us")), **made)
    bare = {"size": '"qty"', "snapshot_ts": '"time"'}
    with pytest.raises(SourceError, match="field time must hold instants with a zone"):
        rows(naive, mapping('format = "parquet"', bare))
    bare["snapshot_ts"] = '{ column = "time", zone = "UTC" }'
    assert rows(naive, mapping('format = "parquet"', bare))[0]["snapshot_ts"] == AT


def test_nan_is_missing_only_where_the_mapping_says_so():
    made = {"wallet": [account(1)], "asset": ["BTC"], "qty": [1.0], "usd": [70_000.0]}
    body = parquet(time=[MS], entry=[math.nan], **made)
    how = {"size": '"qty"', "entry_px": '"entry"'}
    with pytest.raises(SourceError, match="mine row 0: field entry must be finite, is nan"):
        rows(body, mapping('format = "parquet"', how))
    (row,) = rows(body, mapping('format = "parquet"\nmissing = ["NaN"]', how))
    assert row["entry_px"] is None


def test_a_coin_of_another_dex_must_say_so():
    dex = '{ column = "asset", dex = { column = "dex", main = ["", "main"] } }'
    how, header = mapping(columns={"coin": dex}), "time,wallet,asset,side,qty,usd,dex"
    body = csv(line() + ",main", line(asset="xyz:GOLD") + ",xyz", header=header)
    assert [row["coin"] for row in rows(body, how)] == ["BTC", "xyz:GOLD"]
    with pytest.raises(SourceError, match=r"^mine line 2: field asset must begin with its dex"):
        rows(csv(line(asset="GOLD") + ",xyz", header=header), how)
