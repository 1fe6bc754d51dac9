import io
import math
import re
from datetime import UTC, datetime, timedelta

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.sources.errors import SourceError
from pipelines.sources.imports.keys import MappingError
from pipelines.sources.imports.mapped_file import read_mapped, to_rows
from pipelines.sources.imports.mapping import TABLES, to_mapping
from tests.rows import account
from warehouse import open_lake
from warehouse.store import land

# 100 by default: an example costs some milliseconds.
twice_as_many = settings(max_examples=2 * settings().max_examples)
AT = datetime(2026, 2, 5, 12, tzinfo=UTC)
MS = int(AT.timestamp() * 1000)
HEAD = 'table = "positions"\nsource = "my_export"\n'
COLUMNS = {
    "coin": '"asset"',
    "account": '{ column = "wallet" }',
    "size": '{ column = "qty", negative_where = { column = "side", is = ["short", "SELL"], '
    'otherwise = ["long", "BUY"] } }',
    "snapshot_ts": '{ column = "time", unit = "ms" }',
    "scope": '{ value = "hyperliquid" }',
    "notional": '{ column = "usd", scale = 1.0 }',
    "known_ts": '{ delay = "1h", after = "snapshot_ts" }',
}
# Table -> entries, a file of one row, and what that row must say.
OTHERS = {
    "fills": (
        'time_ts = { column = "t", unit = "us" }\ncoin = "c"\naccount = "who"\npx = "px"\n'
        'size = "sz"\nis_buy = { column = "side", words = { B = true, A = false } }\n'
        'start_position = "before"\ndirection = "dir"\nclosed_pnl = "pnl"\nfee = "fee"\n'
        'fee_token = { value = "USDC" }\ntrade_id = "tid"\norder_id = "oid"\n'
        'is_taker = "taker"\nknown_ts = { delay = "0s", after = "time_ts" }',
        f"t,c,who,px,sz,side,before,dir,pnl,fee,tid,oid,taker\n{MS}000,ETH,{account(1)},"
        "2000.5,1,A,1.5,Close Long,-3,0.1,745210434703679,7,True\n",
        {"is_buy": False, "px": 2000.5, "trade_id": 745210434703679, "is_taker": True},
    ),
    "candles": (
        'venue = { value = "okx" }\ncoin = "c"\ninterval = { value = "1h" }\n'
        'start_ts = { column = "t", unit = "iso" }\nopen_px = "o"\nhigh_px = "h"\n'
        'low_px = "l"\nclose_px = "x"\nvolume = { column = "v", optional = true }\n'
        'known_ts = { delay = "1h", after = "start_ts" }',
        "t,c,o,h,l,x\n2026-02-05T12:00:00Z,BTC,70,72,69,71\n",
        {"start_ts": AT, "volume": None, "known_ts": AT + timedelta(hours=1)},
    ),
    "funding": (
        'venue = "venue"\ncoin = "c"\ntime_ts = { column = "t", unit = "iso", zone = "UTC" }\n'
        'rate = { column = "pct", scale = 0.01 }\n'
        'known_ts = { delay = "0s", after = "time_ts" }',
        "t,venue,c,pct\n2026-02-05 12:00,Hyperliquid,BTC,0.00125\n",
        {"time_ts": AT, "venue": "hyperliquid", "rate": 1.25e-5, "period_hours": None},
    ),
    "asset_contexts": (
        'venue = { value = "hyperliquid" }\ncoin = "c"\nmark_px = "mark"\n'
        'context_ts = { column = "t", unit = "s" }\n'
        'known_ts = { column = "seen", unit = "ns" }',
        f"t,c,mark,seen\n{MS // 1000},BTC,70000,{MS}000000\n",
        {"context_ts": AT, "mark_px": 70_000.0, "open_interest": None, "known_ts": AT},
    ),
    "imported_levels": (
        'coin = { value = "BTC" }\nlevel_ts = { value = 2026-02-05T12:00:00Z }\npx = "px"\n'
        'notional = "usd"\nside = { column = "s", words = { L = "long", S = "short" } }\n'
        'known_ts = { delay = "15m", after = "level_ts" }',
        "px,usd,s\n65000,1e6,L\n",
        {"level_ts": AT, "px": 65_000.0, "notional": 1e6, "size": None, "side": "long"},
    ),
}


def mapping(head="", columns=None, drop=(), name="my.toml"):
    entries = {k: v for k, v in (COLUMNS | (columns or {})).items() if k not in drop}
    lines = "\n".join(f"{key} = {entry}" for key, entry in entries.items())
    return to_mapping(f"{HEAD}{head}\n[columns]\n{lines}\n", name)


def csv(*rows, header="time,wallet,asset,side,qty,usd"):
    return "\n".join((header, *rows, "")).encode()


HOLDER = account(1)


def line(time=MS, wallet=HOLDER, asset="BTC", side="long", qty="2", usd="140000"):
    return f"{time},{wallet},{asset},{side},{qty},{usd}"


def parquet(**columns):
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def rows(body, how=None, at=None):
    imported = to_rows({"mine": body}, how or mapping(), at)
    return imported.tables[0][1].to_pylist()


def test_a_file_of_positions_becomes_positions_and_their_snapshot():
    body = csv(line(), line(wallet=account(2).upper().replace("X", "x"), side="SELL", qty="3"))
    imported = to_rows({"mine.csv": body}, mapping())
    (positions, held), (snapshots, counted) = imported.tables
    assert (positions.name, snapshots.name) == ("positions", "snapshots")
    assert [(row["account"], row["size"]) for row in held.to_pylist()] == [
        (account(1), 2.0),
        (account(2), -3.0),
    ]
    first = held.to_pylist()[0]
    assert (first["source"], first["scope"], first["snapshot_ts"]) == (
        "my_export",
        "hyperliquid",
        AT,
    )
    assert (first["mark_px"], first["leverage"]) == (70_000.0, None)
    assert first["known_ts"] == AT + timedelta(hours=1)
    summary = counted.to_pylist()[0]
    assert (summary["positions"], summary["accounts"], summary["px_unknown"]) == (2, 2, 2)
    assert (summary["complete"], summary["trusted"], summary["accounts_asked"]) == (
        False,
        True,
        None,
    )


@pytest.mark.parametrize("table", OTHERS)
def test_every_table_can_be_imported(table):
    entries, text, says = OTHERS[table]
    how = to_mapping(f'table = "{table}"\nsource = "mine"\n[columns]\n{entries}\n')
    ((contract, held),) = to_rows({"f.csv": text.encode()}, how).tables
    assert contract is TABLES[table]
    row = held.to_pylist()[0]
    assert {name: row[name] for name in says} == says


def test_the_rows_land_as_they_are(tmp_path):
    for table, batch in to_rows({"f.csv": csv(line())}, mapping("complete = true")).tables:
        land(tmp_path, table, batch, "my_export")
    with open_lake(tmp_path) as con:
        asked = "select side, size from positions_at('BTC', timestamptz '2026-02-05 13:00+00')"
        assert con.sql(asked).fetchall() == [("long", 2.0)]


def test_several_files_are_one_batch_and_a_row_of_both_comes_once():
    bodies = {"a.csv": csv(line()), "b.csv": csv(line(), line(wallet=account(2)))}
    imported = to_rows(bodies, mapping())
    assert imported.tables[0][1].num_rows == 2
    assert imported.tables[1][1]["positions"].to_pylist() == [2]
    assert imported.duplicates == 1


def test_two_rows_of_one_position_that_differ_are_both_named():
    bodies = {"a.csv": csv(line()), "b.csv": csv(line(wallet=account(2)), line(usd="140001"))}
    with pytest.raises(
        SourceError, match=r"^b\.csv line 3: must come once per .*, a\.csv line 2"
    ):
        to_rows(bodies, mapping())


def test_unknown_columns_are_tolerated_and_counted_and_ignored_ones_are_not():
    header = "time,wallet,asset,side,qty,usd,mood,note"
    body = csv(line() + ",1,2", line(wallet=account(2)) + ",3,4", header=header)
    imported = to_rows({"mine.csv": body}, mapping('ignore = ["note"]'))
    assert imported.unknown_fields == {"mood": 2}


def test_files_come_out_of_an_archive(tmp_path):
    from pipelines.sources.archive import Archive

    (tmp_path / "mine.csv").write_bytes(csv(line()))
    imported = read_mapped(Archive(str(tmp_path)), ["mine.csv"], mapping())
    assert imported.tables[0][1].num_rows == 1


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


def test_a_moment_may_be_the_callers():
    how = mapping(columns={"snapshot_ts": '{ given = "at" }'})
    assert rows(csv(line()), how, AT)[0]["snapshot_ts"] == AT
    with pytest.raises(ValueError, match=r"my\.toml: needs a moment, none is given"):
        rows(csv(line()), how)
    with pytest.raises(ValueError, match=r"my\.toml: takes no moment"):
        rows(csv(line()), mapping(), AT)
    with pytest.raises(ValueError, match="must have a zone"):
        rows(csv(line()), how, AT.replace(tzinfo=None))


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


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (line(qty="two"), r"field qty must be a number, is 'two'"),
        (line(qty="1,5"), r"cannot be read as CSV: .*Row #4: Expected 6 columns, got 7"),
        (line(qty="1_5"), r"field qty must be a number"),
        (line(qty="nan"), r"field qty must be a number"),
        (line(qty="1e999"), r"field qty must be finite"),
        (line(qty="0"), r"field qty for size must not be 0, is "),
        (line(qty=""), r"field qty for size must not be missing"),
        (line(qty="-1"), r"field qty must not be negative beside its side, is '-1'"),
        (line(side="Long"), r"field side must be one of short, SELL, long, BUY, is 'Long'"),
        (line(side=""), r"field side must be one of short, SELL, long, BUY, is ''"),
        (line(wallet="0xAB"), r"field wallet for account must be a lower-case 0x address"),
        (line(asset=""), r"field asset for coin must not be missing"),
        (line(asset=" BTC"), r"field asset must be at most 128 printed characters"),
        (line(asset="B\0C"), r"field asset must be at most 128 printed characters.* 'B\\x00C'"),
        (line(asset="B\u202eC"), r"field asset must be at most 128 printed characters"),
        (line(asset="B" * 129), r"field asset must be at most 128 printed characters"),
        (
            line(time=MS // 1000),
            r"field time must be between 2009 and 2099 \(is its unit right",
        ),
        (line(time="2026-02-05"), r"field time must be a count of ms since 1970"),
        (line(time="9" * 30), r"field time must be a count of ms since 1970"),
        (line(usd="0"), r"field mark_px must be above 0"),
        (
            line(usd="-5"),
            r"field mark_px must be above 0|field usd for notional must be 0 or m",
        ),
        ("1,2", r"cannot be read as CSV: .*Row #4: Expected 6 columns, got 2"),
    ],
)
def test_a_bad_value_names_file_line_and_field(bad, says):
    with pytest.raises(SourceError, match=says) as raised:
        rows(csv(line(wallet=account(8)), line(wallet=account(9)), bad))
    where = "mine: " if "cannot be read" in says else "mine line 4: "
    assert str(raised.value).startswith(where)
    assert "\n" not in str(raised.value)


def test_lines_are_counted_over_blank_lines_and_quoted_breaks():
    header = "time,wallet,asset,side,qty,usd,note"
    body = csv(line() + ',"a\nb"', "", line(qty="x") + ",c", header=header)
    with pytest.raises(SourceError, match=r"^mine line 5: field qty"):
        rows(body)


def test_what_contradicts_itself_is_refused():
    both = mapping(columns={"mark_px": '"mark"'})
    header = "time,wallet,asset,side,qty,usd,mark"
    with pytest.raises(SourceError, match=r"line 2: field notional must be \|size\| x mark_px"):
        rows(csv(line() + ",700", header=header), both)
    early = mapping(columns={"known_ts": "{ value = 2026-02-05T11:59:59Z }"})
    with pytest.raises(SourceError, match="known_ts must not be before snapshot_ts"):
        rows(csv(line()), early)


def test_a_bar_is_not_known_before_it_has_ended():
    entries, text, _ = OTHERS["candles"]
    early = entries.replace('delay = "1h"', 'delay = "59m"')
    how = to_mapping(f'table = "candles"\nsource = "s"\n[columns]\n{early}\n')
    with pytest.raises(SourceError, match="line 2: field known_ts must not be before the end"):
        to_rows({"f.csv": text.encode()}, how)
    low = text.replace("70,72,69,71", "70,72,71,71")
    how = to_mapping(f'table = "candles"\nsource = "s"\n[columns]\n{entries}\n')
    with pytest.raises(SourceError, match="line 2: field low_px must be the lowest"):
        to_rows({"f.csv": low.encode()}, how)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "cannot be read as CSV"),
        (b"\xff\xfe", "cannot be read as CSV"),
        (b"time,wallet,asset,side,qty,usd\n\xff,b,c,d,e,f\n", "cannot be read as CSV.*UTF8"),
        (b"time\n1\n", "field .* is missing"),
        (
            csv(line() + ",1", header="time,wallet,asset,side,qty,usd,qty"),
            "field qty comes 2 times",
        ),
    ],
)
def test_a_broken_file_is_named(body, says):
    with pytest.raises(SourceError, match=f"^mine: {says}"):
        rows(body)


def test_a_file_with_a_header_only_has_no_rows():
    imported = to_rows({"mine.csv": csv()}, mapping())
    assert [batch.num_rows for _, batch in imported.tables] == [0, 0]
    with pytest.raises(ValueError, match="no file to read"):
        to_rows({}, mapping())


@pytest.mark.parametrize(
    ("head", "columns", "says"),
    [
        ("tabel = 1", {}, "key tabel is not known; did you mean table?"),
        ('format = "xlsx"', {}, "key format must be one of csv, parquet, is 'xlsx'"),
        ('format = "parquet"\ndecimal = ","', {}, "key decimal is for csv only"),
        ('delimiter = ";;"', {}, "key delimiter must be one character, is ';;'"),
        ('delimiter = "\\n"', {}, r"key delimiter must be one character, is '\n'"),
        ('delimiter = "1"', {}, "key delimiter must be no letter, digit, sign or quote"),
        ('decimal = ","', {}, "key decimal must not be the delimiter, is ','"),
        ('complete = "yes"', {}, "key complete must be true or false, is 'yes'"),
        ('missing = ["", ""]', {}, "key missing must list 0 or more texts, each once"),
        ("ignore = [1]", {}, "key ignore must be a list of texts, is [1]"),
        ("", {"snapshot_t": '"time"'}, "snapshot_t is no column of positions; did you mean sn"),
        ("", {"source": '"x"'}, "key columns.source must be left out: source says it"),
        ("", {"size": "5"}, "key columns.size must be a table, is 5"),
        ("", {"size": "{}"}, "columns.size must have one of column, only_of, value, has none"),
        (
            "",
            {"size": '{ colum = "q" }'},
            "columns.size.colum is not known; did you mean colum",
        ),
        (
            "",
            {"size": '{ column = "q", value = 1 }'},
            "must have one of .* has column and value",
        ),
        ("", {"size": '{ column = "" }'}, "columns.size.column must be text that is not empty"),
        (
            "",
            {"size": '{ column = "q", unit = "s" }'},
            "size.unit is not known for number from",
        ),
        ("", {"size": '{ column = "q", scale = inf }'}, "size.scale must be a finite number"),
        ("", {"size": '{ column = "q", scale = 0 }'}, "size.scale must not be 0"),
        ("", {"size": '{ column = "q", optional = true }'}, "optional: size must have a value"),
        ("", {"size": "{ value = 0 }"}, "columns.size.value must not be 0, is 0.0"),
        (
            "",
            {"size": '{ column = "q", negative_where = { column = "s", is = ["a"] } }'},
            "columns.size.negative_where.otherwise must be a list of texts, is missing",
        ),
        (
            "",
            {
                "size": '{ column = "q", negative_where = { column = "s", is = ["a"], '
                'otherwise = ["a"] } }'
            },
            "negative_where.otherwise must not hold 'a' too",
        ),
        (
            "",
            {"snapshot_ts": '"time"'},
            "columns.snapshot_ts.unit must be one of s, ms, us, ns",
        ),
        ("", {"snapshot_ts": '{ column = "t", unit = "mss" }'}, "'mss'; did you mean ms?"),
        (
            "",
            {"snapshot_ts": '{ column = "t", unit = "ms", zone = "UTC" }'},
            "zone must be left",
        ),
        (
            "",
            {"snapshot_ts": '{ given = "now" }'},
            "columns.snapshot_ts.given must be one of at",
        ),
        ("", {"snapshot_ts": "{ value = 2026-02-05T12:00:00 }"}, "an instant with its offset"),
        (
            "",
            {"snapshot_ts": "{ value = 0001-01-01T00:00:00+23:00 }"},
            "between years 1 and 99",
        ),
        (
            "",
            {"known_ts": '{ delay = "1w", after = "snapshot_ts" }'},
            "delay must be a time of",
        ),
        (
            "",
            {"known_ts": '{ delay = "9999d", after = "snapshot_ts" }'},
            "delay must be a time",
        ),
        (
            "",
            {"known_ts": '{ delay = "1h" }'},
            "columns.known_ts.after must be text that is not",
        ),
        ("", {"known_ts": '{ delay = "1h", after = "snapshot" }'}, "did you mean snapshot_ts?"),
        (
            "",
            {"scope": '{ value = "a\\u0000b" }'},
            "columns.scope.value must be at most 128 pri",
        ),
        ("", {"account": '{ value = "0xAB" }'}, "must be a lower-case 0x address"),
        ("", {"leverage": '{ only_of = ["a"] }'}, "only_of must list 2 or more texts"),
        (
            "",
            {"leverage_type": '{ which_of = { cross = "a" } }'},
            "must name two columns or more",
        ),
        (
            "",
            {"leverage_type": '{ column = "m", words = {} }'},
            "words must hold a word, is {}",
        ),
    ],
)
def test_every_key_is_checked(head, columns, says):
    with pytest.raises(MappingError) as raised:
        mapping(head, columns)
    told = str(raised.value)
    assert told.startswith("my.toml: ")
    assert "\n" not in told
    assert re.search(says if ".*" in says else re.escape(says), told), told


@pytest.mark.parametrize("name", [*COLUMNS])
def test_a_column_that_must_have_a_value_must_be_mapped(name):
    with pytest.raises(MappingError, match=f"key columns.*{name}.* is missing"):
        mapping(drop=(name,))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "key table must be one of positions, .*, is missing"),
        ("table = ", "cannot be read as TOML"),
        ("a = " + "[" * 100_000, "cannot be read as TOML"),
        ('table = "position"', "is 'position'; did you mean positions?"),
        ('table = "order_books"', "is 'order_books'"),
        ('table = "fills"\nsource = "My Export"', "key source must match"),
        ('table = "fills"\nsource = "../x"', "key source must match"),
        ('table = "fills"\nsource = "x"', "key columns must be a table, is None"),
        ('table = "fills"\nsource = "x"\ncomplete = true\n[columns]', "for positions only"),
    ],
)
def test_a_mapping_that_is_none_says_why(text, says):
    with pytest.raises(MappingError, match=says) as raised:
        to_mapping(text, "my.toml")
    assert str(raised.value).startswith("my.toml: ")
    assert "\n" not in str(raised.value)


def test_the_documented_example_is_a_mapping():
    import pipelines.sources.imports.mapping as module

    text = module.__doc__.partition(".. code-block:: toml\n\n")[2].partition("\n\nEvery key")[0]
    lines = [text_line.removeprefix("    ") for text_line in text.splitlines()]
    read = to_mapping("\n".join(lines))
    assert (read.table.name, read.delimiter, read.decimal) == ("positions", ";", ",")


GOOD = csv(*(line(wallet=account(n), side=("long", "short")[n % 2]) for n in range(6)))
MAPPING_TEXT = HEAD + "[columns]\n" + "\n".join(f"{k} = {v}" for k, v in COLUMNS.items())


def cut(draw, body):
    """Return ``body`` with a few stretches of it replaced."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(body)))
        end = min(len(body), start + draw(st.integers(0, 12)))
        filler = draw(st.one_of(st.binary(max_size=6), st.sampled_from(HOSTILE)))
        body = body[:start] + filler + body[end:]
    return body


HOSTILE = [b'"', b"\n", b"\r", b"\0", b",", b"1e999", b"-0", b"nan", b"\xff", "\u202e".encode()]
HOSTILE += [b"9" * 40, b"[" * 50, b"{", b"}", b"=", b"inf", b"0x" + b"f" * 40, b"\xef\xbb\xbf"]


@st.composite
def mutated(draw, body):
    return cut(draw, body)


def refused_or_right(read, *starts):
    """Hold what ``read`` returns to its contracts, or its complaint to one line."""
    told = ""
    try:
        tables = read().tables
    except SourceError as error:
        tables, told = [], str(error)
    assert told.startswith(starts or "") or not told
    assert "\n" not in told
    for table, batch in tables:
        assert table.check(batch).equals(batch)


@twice_as_many
@given(mutated(GOOD))
def test_mutated_csv_is_refused_in_one_line_or_read_rightly(body):
    refused_or_right(lambda: to_rows({"mine.csv": body}, mapping()), "mine.csv")


@twice_as_many
@given(mutated(parquet(time=[MS], wallet=[account(1)], asset=["A"], qty=[1.0], usd=[7.0])))
def test_mutated_parquet_is_refused_in_one_line_or_read_rightly(body):
    how = mapping('format = "parquet"', columns={"size": '"qty"'})
    refused_or_right(lambda: to_rows({"mine.parquet": body}, how), "mine.parquet")


@twice_as_many
@given(mutated(MAPPING_TEXT.encode()))
def test_a_mutated_mapping_is_refused_in_one_line_or_read_rightly(text):
    def read():
        how = to_mapping(text.decode("utf-8", "replace"), "my.toml")
        return to_rows({"mine.csv": GOOD}, how, AT if how.needs_at else None)

    refused_or_right(read, "my.toml: ", "mine.csv")


TOML_VALUES = st.recursive(
    st.one_of(
        st.sampled_from(['""', '"qty"', '"ms"', "0", "-1", "1e400", "inf", "nan", "true"]),
        st.sampled_from(["1979-05-27", "2026-02-05T12:00:00Z", "07:32:00", '"\\u0000"']),
        st.integers(-(10**400), 10**400).map(str),
        st.text("ab .[]{}", max_size=5).map(lambda text: f"'{text}'"),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda of: f"[{', '.join(of)}]"),
        st.dictionaries(
            st.sampled_from(
                ["column", "value", "scale", "unit", "words", "is", "delay", "given"]
            ),
            inner,
            max_size=3,
        ).map(lambda of: "{ " + ", ".join(f"{k} = {v}" for k, v in of.items()) + " }"),
    ),
    max_leaves=6,
)


@twice_as_many
@given(st.sampled_from([*COLUMNS, "leverage", "leverage_type"]), TOML_VALUES)
def test_any_value_of_a_key_is_refused_in_one_line_or_read_rightly(name, value):
    def read():
        how = mapping(columns={name: value})
        return to_rows({"mine.csv": GOOD}, how, AT if how.needs_at else None)

    refused_or_right(read, "my.toml: ", "mine.csv")


POSITIVE = st.floats(1e-9, 1e12)


@twice_as_many
@given(
    st.lists(
        st.tuples(
            st.integers(0, 2**160 - 1),
            st.sampled_from(["BTC", "kPEPE", "xyz:GOLD", "PURR/USDC", 'a,"b"']),
            st.sampled_from(["long", "SELL"]),
            POSITIVE,
            POSITIVE,
            st.integers(1_300_000_000_000, 4_000_000_000_000),
        ),
        unique_by=lambda row: row[0],
        min_size=1,
    )
)
def test_what_was_written_comes_back_as_it_was(given_rows):
    header = ["time", "wallet", "asset", "side", "qty", "usd"]
    cells = [
        (str(ms), account(who), coin, side, repr(size), repr(usd))
        for who, coin, side, size, usd, ms in given_rows
    ]
    frame = pl.DataFrame(cells, schema=header, orient="row")
    back = {row["account"]: row for row in rows(frame.write_csv().encode())}
    assert len(back) == len(given_rows)
    for who, coin, side, size, usd, ms in given_rows:
        row = back[account(who)]
        assert row["coin"] == coin
        assert row["size"] == (size if side == "long" else -size)
        assert row["mark_px"] == usd / size
        assert row["snapshot_ts"] == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(
            milliseconds=ms
        )


CELL = st.one_of(
    st.text(max_size=8),
    st.floats().map(str),
    st.integers().map(str),
    st.sampled_from(["", "long", "SELL", "BTC", account(3), str(MS), "70000"]),
)


@twice_as_many
@given(st.lists(st.tuples(*[CELL] * 6), max_size=4))
def test_any_cells_are_refused_in_one_line_or_read_rightly(cells):
    header = ["time", "wallet", "asset", "side", "qty", "usd"]
    frame = pl.DataFrame(cells, schema=dict.fromkeys(header, pl.String), orient="row")
    body = frame.write_csv().encode()
    refused_or_right(lambda: to_rows({"mine.csv": body}, mapping()), "mine.csv")
