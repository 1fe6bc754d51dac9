from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.sources.errors import SourceError
from pipelines.sources.imports.hypertracker import mapping, to_positions
from tests.rows import account
from warehouse.store import land

AT = datetime(2026, 4, 1, 12, tzinfo=UTC)
COLUMNS = [
    "id",
    "address",
    "coin",
    "side",
    "dex",
    "size",
    "value",
    "entryPrice",
    "unrealizedPnl",
    "funding",
    "liquidationPrice",
    "liquidationProgress",
    "crossLeverage",
    "isolatedLeverage",
    "openTime",
    "profile_totalEquity",
    "profile_perpEquity",
    "profile_countOpenPositions",
    "profile_pnl",
    "profile_balance",
    "profile_perpPnlSegmentId",
    "profile_sizeSegmentId",
]


def record(holder=1, **others):
    return {
        "id": "ab" * 32,
        "address": account(holder),
        "coin": "BTC",
        "side": "long",
        "dex": "main",
        "size": "0.5",
        "value": "35000",
        "entryPrice": "71000",
        "unrealizedPnl": "-500",
        "funding": "-1.25",
        "liquidationPrice": "60000.5",
        "liquidationProgress": "0.09",
        "crossLeverage": "10",
        "isolatedLeverage": "",
        "openTime": "2026-03-30T08:00:00.000Z",
        "profile_totalEquity": "12000",
        "profile_perpEquity": "9000",
        "profile_countOpenPositions": "2",
        "profile_pnl": "100",
        "profile_balance": "9500",
        "profile_perpPnlSegmentId": "11",
        "profile_sizeSegmentId": "1",
    } | others


def export(*records, columns=COLUMNS):
    lines = [",".join(columns)]
    lines += [",".join(each[name] for name in columns) for each in records]
    return "\n".join((*lines, "")).encode()


def read(*records, **others):
    return to_positions({"BTC.csv": export(*records, **others)}, AT)


def test_an_export_becomes_positions_of_the_moment_that_is_given():
    made = read(record(), record(2, side="short", crossLeverage="", isolatedLeverage="20"))
    (_, positions), (_, snapshots) = made.tables
    first, second = positions.to_pylist()
    assert first == {
        "snapshot_ts": AT,
        "source": "hypertracker",
        "scope": "all",
        "coin": "BTC",
        "account": account(1),
        "size": 0.5,
        "entry_px": 71_000.0,
        "mark_px": 70_000.0,
        "liquidation_px": 60_000.5,
        "liquidation_px_source": "venue",
        "leverage": 10.0,
        "leverage_type": "cross",
        "max_leverage": None,
        "margin_used": None,
        "account_value": None,
        "account_mode": None,
        "funding_pnl": None,
        "known_ts": AT + timedelta(minutes=5),
    }
    assert (second["size"], second["leverage_type"], second["leverage"]) == (
        -0.5,
        "isolated",
        20.0,
    )
    assert (made.unknown_fields, made.duplicates, made.notes) == ({}, 0, [])
    (summary,) = snapshots.to_pylist()
    assert (summary["complete"], summary["positions"], summary["px_venue"]) == (False, 2, 2)


def test_a_price_that_is_missing_or_not_above_0_is_null():
    held = read(
        record(), record(2, liquidationPrice=""), record(3, liquidationPrice="0")
    ).tables
    assert held[0][1]["liquidation_px"].to_pylist() == [60_000.5, None, None]
    assert held[1][1]["px_unknown"].to_pylist() == [2]
    without = [name for name in COLUMNS if name != "liquidationPrice"]
    made = read(record(), columns=without)
    assert made.tables[0][1]["liquidation_px"].to_pylist() == [None]


def test_a_short_may_be_written_with_its_sign_and_a_long_may_not():
    (_, held), _ = read(record(side="short", size="-0.5", value="-35000")).tables
    assert (held["size"].to_pylist(), held["mark_px"].to_pylist()) == ([-0.5], [70_000.0])
    with pytest.raises(SourceError, match=r"BTC\.csv line 2: field size must not be negative"):
        read(record(size="-0.5"))


def test_where_both_leverages_are_given_neither_is_known():
    made = read(record(isolatedLeverage="20"))
    row = made.tables[0][1].to_pylist()[0]
    assert (row["leverage"], row["leverage_type"]) == (None, None)
    assert made.notes == [
        "1 read as missing: leverage: in more than one of crossLeverage, isolatedLeverage",
        "1 read as missing: leverage_type: in more than one of crossLeverage, isolatedLeverage",
    ]


def test_the_coins_of_builders_dexes_carry_their_dex():
    (_, held), _ = read(record(coin="xyz:GOLD", dex="xyz"), record(2, dex="")).tables
    assert held["coin"].to_pylist() == ["BTC", "xyz:GOLD"]
    with pytest.raises(SourceError, match="line 2: field coin must begin with its dex"):
        read(record(coin="GOLD", dex="xyz"))


def test_the_coins_of_one_moment_are_one_snapshot(tmp_path):
    bodies = {"BTC.csv": export(record()), "ETH.csv": export(record(coin="ETH"), record(2))}
    made = to_positions(bodies, AT, complete=True)
    assert [rows.num_rows for _, rows in made.tables] == [3, 1]
    assert made.tables[1][1]["complete"].to_pylist() == [True]
    for table, rows in made.tables:
        land(tmp_path, table, rows, "hypertracker")


def test_new_fields_are_tolerated_and_counted():
    made = read(record(mood="grim"), record(2, mood=""), columns=[*COLUMNS, "mood"])
    assert made.unknown_fields == {"mood": 2}


@pytest.mark.parametrize(
    "name", ["address", "coin", "side", "dex", "size", "value", "entryPrice"]
)
def test_a_field_that_is_documented_must_be_there(name):
    with pytest.raises(SourceError, match=f"^BTC.csv: field {name} is missing"):
        read(record(), columns=[column for column in COLUMNS if column != name])


def test_a_moment_needs_its_zone():
    with pytest.raises(ValueError, match="must have a zone and be between 2009 and 2099"):
        to_positions({"BTC.csv": export(record())}, AT.replace(tzinfo=None))


def test_the_shipped_mapping_says_that_a_file_is_not_complete():
    assert not mapping().complete
    assert mapping().needs_at


@settings(max_examples=2 * settings().max_examples)
@given(st.sampled_from(COLUMNS), st.text(st.characters(codec="utf-8"), max_size=10))
def test_any_cell_is_refused_in_one_line_or_read_rightly(name, text):
    quoted = '"' + text.replace('"', '""') + '"'
    told, tables = "", []
    try:
        tables = read(record(2), record(**{name: quoted})).tables
    except SourceError as error:
        told = str(error)
    assert "\n" not in told
    assert not told or told.startswith("BTC.csv line 3: field") or "CSV" in told
    for table, rows in tables:
        assert table.check(rows).equals(rows)
