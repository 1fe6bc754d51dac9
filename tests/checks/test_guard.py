from datetime import UTC, date, datetime, timedelta

import pytest

from tests.rows import T0, account, batch, position, snapshot
from warehouse import open_lake
from warehouse.checks import Blocked, guarded
from warehouse.contracts.tables import (
    ACCOUNTS,
    BACKTEST_EQUITY,
    CANDLES,
    FILLS,
    POSITIONS,
    SNAPSHOTS,
)
from warehouse.store import Lake, Origin, land
from warehouse.store.asks import ALL_DAY, asks_of

NOW = datetime(2026, 2, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def clock():
    return NOW


def origin(name):
    return [Origin.of(name, name.encode())]


def bar(start_ts=T0, **others):
    row = {
        "venue": "hyperliquid",
        "coin": "BTC",
        "interval": "1h",
        "start_ts": start_ts,
        "open_px": 10.0,
        "high_px": 12.0,
        "low_px": 9.0,
        "close_px": 11.0,
        "volume": None,
        "source": "test",
        "known_ts": start_ts + HOUR,
    }
    return row | others


def fill(time_ts=T0, **others):
    row = {column.name: None for column in FILLS.columns}
    row |= {
        "time_ts": time_ts,
        "coin": "BTC",
        "account": account(1),
        "px": 100.0,
        "size": 1.0,
        "is_buy": True,
        "start_position": 0.0,
        "trade_id": 1,
        "order_id": 1,
        "is_taker": True,
        "source": "test",
        "known_ts": time_ts,
    }
    return row | others


def a_snapshot(part, at=T0, holders=(1, 2), said=None):
    """Return what drafts a snapshot that says it holds ``said`` positions."""
    rows = [position(holder=holder, snapshot_ts=at, known_ts=at) for holder in holders]
    summary = snapshot(at, rows)
    if said is not None:
        summary |= {"positions": said, "px_unknown": said}
    return some(POSITIONS, rows, part), some(SNAPSHOTS, [summary], part)


def some(table, rows, part, read=None):
    """Return what drafts rows of one table; ``read``: the file they were read from."""
    return table, batch(table, rows), part, origin(read or part)


def publish(lake, *drafts, clock=clock):
    with guarded(lake, clock) as batches:
        for table, rows, part, origins in drafts:
            batches.land(table, rows, part, origins)
    return batches.places


def blocked(lake, *drafts, match="was not landed"):
    with pytest.raises(Blocked, match=match) as raised:
        publish(lake, *drafts)
    return raised.value


def rows_of(lake, query):
    with open_lake(lake) as con:
        return con.sql(query).fetchall()


def files_of(lake, table):
    return sorted(path.name for path in lake.glob(f"{table}/*/*.parquet"))


def bytes_of(lake):
    return {path: path.read_bytes() for path in lake.rglob("*.parquet")}


def test_sound_batches_are_published(tmp_path):
    places = publish(tmp_path, *a_snapshot("a"), *a_snapshot("b", T0 + HOUR))
    assert rows_of(tmp_path, "select count(*) from positions") == [(4,)]
    assert places["snapshots"] == [
        tmp_path / f"snapshots/day=2026-01-02/{part}.parquet" for part in "ab"
    ]
    assert rows_of(tmp_path, "select count(*) from incidents") == [(0,)]


def test_a_blocked_batch_leaves_nothing_of_itself_and_the_others_are_published(tmp_path):
    drafts = *a_snapshot("good"), *a_snapshot("bad", T0 + HOUR, said=3)
    error = blocked(tmp_path, *drafts)
    start = (
        "part bad was not landed: snapshots_count_their_positions: snapshots of test at 2026"
    )
    assert str(error).startswith(start)
    assert "says 3 positions of 2 accounts" in str(error)
    assert "\n" not in str(error)
    assert list(error.refused) == ["bad"]
    assert files_of(tmp_path, "positions") == ["good.parquet"]
    assert files_of(tmp_path, "snapshots") == ["good.parquet"]
    parts = rows_of(tmp_path, "select table_name, part from parts order by all")
    assert parts == [
        ("incidents", "blocked-bad"),
        ("positions", "good"),
        ("snapshots", "good"),
    ]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_what_was_blocked_is_an_ask_and_an_incident(tmp_path):
    blocked(tmp_path, *a_snapshot("bad", said=3))
    asks = asks_of(Lake.at(tmp_path)).to_pylist()
    assert [(row["table_name"], row["source"], row["day"], row["hour"]) for row in asks] == [
        ("positions", "test", date(2026, 1, 2), ALL_DAY),
        ("snapshots", "test", date(2026, 1, 2), ALL_DAY),
    ]
    assert {row["outcome"] for row in asks} == {"blocked"}
    assert {row["asked_ts"] for row in asks} == {NOW}
    found = rows_of(
        tmp_path, "select start_ts, check_name, table_name, severity, rows from incidents"
    )
    assert found == [(T0, "snapshots_count_their_positions", "snapshots", "stop", 1)]


def test_an_hours_part_is_blocked_as_that_hour(tmp_path):
    blocked(tmp_path, some(FILLS, [fill(T0 + 7 * HOUR, known_ts=T0)], "test-07"))
    assert asks_of(Lake.at(tmp_path))["hour"].to_pylist() == [7]


def test_landing_it_again_when_it_is_sound_takes_back_what_was_said(tmp_path):
    blocked(tmp_path, *a_snapshot("a", said=3))
    publish(tmp_path, *a_snapshot("a"))
    assert rows_of(tmp_path, "select count(*) from positions") == [(2,)]
    assert rows_of(tmp_path, "select count(*) from incidents") == [(0,)]
    assert asks_of(Lake.at(tmp_path)).num_rows == 0


def test_blocking_it_twice_leaves_the_same_bytes(tmp_path):
    drafts = *a_snapshot("good"), *a_snapshot("bad", T0 + HOUR, said=3)
    blocked(tmp_path, *drafts)
    before = bytes_of(tmp_path)
    blocked(tmp_path, *drafts)
    assert bytes_of(tmp_path) == before


def test_a_row_that_another_part_holds_is_blocked(tmp_path):
    publish(tmp_path, some(CANDLES, [bar(), bar(T0 + HOUR)], "one"))
    again = some(CANDLES, [bar(T0 + HOUR)], "two")
    blocked(tmp_path, again, match="candles_have_one_row_per_grain")
    assert files_of(tmp_path, "candles") == ["one.parquet"]


def test_of_two_batches_that_contradict_each_other_the_first_is_published(tmp_path):
    drafts = (("one", T0), ("other", T0 + HOUR), ("two", T0))
    error = blocked(tmp_path, *(some(CANDLES, [bar(at)], part) for part, at in drafts))
    assert list(error.refused) == ["two"]
    assert files_of(tmp_path, "candles") == ["one.parquet", "other.parquet"]


def test_a_part_that_replaces_another_is_not_held_against_it(tmp_path):
    publish(tmp_path, *a_snapshot("a"))
    publish(tmp_path, *a_snapshot("a", holders=(1, 2, 3)))
    assert rows_of(tmp_path, "select positions from snapshots") == [(3,)]


def test_what_is_wrong_in_the_lake_already_blocks_nobody(tmp_path):
    for part in ("one", "two"):
        land(tmp_path, CANDLES, batch(CANDLES, [bar()]), part)
    publish(tmp_path, some(CANDLES, [bar(coin="ETH"), bar(T0 + HOUR, coin="ETH")], "three"))
    assert rows_of(tmp_path, "select count(*) from candles where coin = 'ETH'") == [(2,)]


def test_what_is_wrong_already_does_not_hide_what_is_wrong_too(tmp_path):
    for part in ("one", "two"):
        land(tmp_path, CANDLES, batch(CANDLES, [bar()]), part)
    blocked(tmp_path, some(CANDLES, [bar()], "three"), match="up to 3 times")


def test_one_bad_day_of_a_batch_blocks_all_its_days(tmp_path):
    days = [bar(T0 + timedelta(days=number)) for number in range(4)]
    days[2] |= {"low_px": 10.5}
    blocked(tmp_path, some(CANDLES, days, "bars"), match="candles_are_possible")
    assert files_of(tmp_path, "candles") == []


def test_the_same_hour_of_two_days_is_two_batches(tmp_path):
    drafts = []
    for number in (0, 1, 20):
        at = T0 + timedelta(days=number)
        row = fill(at, known_ts=T0 if number == 1 else at)
        drafts.append(some(FILLS, [row], "test-00", f"day {number}"))
    assert len(blocked(tmp_path, *drafts).refused) == 1
    assert rows_of(tmp_path, "select day(day) from fills order by 1") == [(2,), (22,)]


def test_a_sweep_over_midnight_is_seen_whole(tmp_path):
    before, after = T0 - timedelta(seconds=1), T0 + timedelta(seconds=1)
    rows = [
        position(snapshot_ts=at, holder=holder, known_ts=at)
        for holder, at in ((1, before), (2, after))
    ]
    asked = [
        {column.name: None for column in ACCOUNTS.columns}
        | {"state_ts": row["snapshot_ts"], "account": row["account"], "sweep_ts": after}
        | {name: row[name] for name in ("source", "scope", "known_ts")}
        for row in rows
    ]
    summary = snapshot(after, rows, accounts_asked=2, started_ts=before)
    tables = ((POSITIONS, rows), (ACCOUNTS, asked), (SNAPSHOTS, [summary]))
    publish(tmp_path, *(some(table, given, "sweep") for table, given in tables))
    assert rows_of(tmp_path, "select count(*) from positions") == [(2,)]
    # Its accounts do not say that they were asked in it: then its positions are of no snapshot.
    lone = [row | {"sweep_ts": None} for row in asked]
    tables = ((POSITIONS, rows), (ACCOUNTS, lone), (SNAPSHOTS, [summary]))
    blocked(tmp_path, *(some(table, given, "sweep") for table, given in tables))


def test_tables_without_a_stop_check_pass(tmp_path):
    row = {
        "run_id": "r",
        "bound": "optimistic",
        "time_ts": T0,
        "coin": "BTC",
        "position": 0.0,
        "close_px": 1.0,
        "equity": 1.0,
        "source": "test",
        "known_ts": T0,
    }
    publish(tmp_path, some(BACKTEST_EQUITY, [row], "r"))
    assert rows_of(tmp_path, "select count(*) from backtest_equity") == [(1,)]


def test_nothing_to_land_is_no_error(tmp_path):
    publish(tmp_path)
    publish(tmp_path, clock=None)
    assert files_of(tmp_path, "_ledger") == []


def test_an_error_inside_lands_nothing(tmp_path):
    broken = some(POSITIONS, [position()], "Not a name")
    with pytest.raises(ValueError, match="must match"):
        publish(tmp_path, *a_snapshot("a"), broken)
    assert not list(tmp_path.rglob("*.parquet"))


def test_a_lake_whose_name_looks_like_a_glob_is_checked(tmp_path):
    lake = tmp_path / "a[b]*c"
    publish(lake, *a_snapshot("a"))
    blocked(lake, *a_snapshot("b"))
    assert files_of(lake, "positions") == ["a.parquet"]
