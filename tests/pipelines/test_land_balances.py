from datetime import UTC, date, datetime

import orjson
import pytest

from pipelines.sources.errors import SourceError
from pipelines.steps.balances import land_balances
from tests.pipelines.data_lake import frame, held, parts
from tests.rows import account

MONDAY, TUESDAY = date(2026, 1, 26), date(2026, 1, 27)


def position(coin="BTC", size="-0.5", liquidation_px="100100.0"):
    return {
        "coin": coin,
        "szi": size,
        "entryPx": "90000.0",
        "positionValue": str(abs(float(size)) * 91000),
        "liquidationPx": liquidation_px,
        "marginUsed": "4550.0",
        "maxLeverage": 40,
        "leverage": {"type": "cross", "value": 10},
    }


def line(holder, *positions, at=None):
    inner = {
        "assetPositions": [{"position": each} for each in positions],
        "marginSummary": {"accountValue": "10000.0"},
    }
    whole = {"address": account(holder), "response": {"perpetual": inner}}
    return whole if at is None else whole | {"timestamp": at}


def put(root, day, *lines, name="part-0"):
    file = root / f"artemis-hyperliquid-data/raw/perp_and_spot_balances/{day:%Y/%m/%d}"
    file.mkdir(parents=True, exist_ok=True)
    (file / f"{name}.jsonl").write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in lines))
    return str(root)


@pytest.fixture
def root(tmp_path):
    archive = tmp_path / "archive"
    put(
        archive,
        MONDAY,
        {"_metadata": True},
        line(1, position(), position("ETH", "2.0", None), at="2026-01-27T02:00:00"),
        line(2, at="2026-01-27T02:10:00"),
        {"address": account(3), "response": None},
    )
    put(archive, MONDAY, line(4, position(size="1.0", liquidation_px="81900.0")), name="part-1")
    return put(archive, TUESDAY, line(1, position()))


def test_a_day_lands_as_a_sweep_does(root, tmp_path):
    lake = tmp_path / "lake"
    positions, accounts, snapshots = land_balances(root, lake, MONDAY, TUESDAY)
    rows = frame(lake, "from positions order by account, coin").to_dicts()
    taken = datetime(2026, 1, 27, 2, tzinfo=UTC)
    ended = datetime(2026, 1, 26, 23, 59, 59, 999999, tzinfo=UTC)
    assert [(row["coin"], row["size"], row["snapshot_ts"]) for row in rows] == [
        ("BTC", -0.5, taken),
        ("ETH", 2.0, taken),
        ("BTC", 1.0, ended),
    ]
    assert [row["liquidation_px_source"] for row in rows] == ["venue", None, "venue"]
    assert {row["source"] for row in rows} == {"artemis_balances"}
    first, second = frame(lake, "from accounts order by account").to_dicts()
    assert (first["positions"], first["notional"]) == (2, 227500.0)
    assert first["nearest_pct"] == pytest.approx(10.0)
    assert (second["account"], second["account_value"]) == (account(4), 10000.0)
    assert first["sweep_ts"] == second["sweep_ts"] == taken
    (snapshot,) = frame(lake, "from snapshots").to_dicts()
    wanted = {
        "snapshot_ts": taken,
        "started_ts": ended,
        "scope": "hyperliquid",
        "complete": False,
        "trusted": True,
        "accounts_asked": None,
        "accounts": 2,
        "positions": 3,
        "px_venue": 2,
        "px_unknown": 1,
    }
    assert {name: snapshot[name] for name in wanted} == wanted
    assert [one.rows for one in (positions, accounts, snapshots)] == [3, 2, 1]
    assert positions.notes == [
        "artemis_balances 2026-01-26: 1 accounts without a state",
        "artemis_balances 2026-01-26: 1 accounts without a time, taken as of the day's end",
    ]


def test_batches_of_two_days_do_not_meet_where_their_times_do(root, tmp_path):
    land_balances(root, tmp_path / "lake")
    assert parts(tmp_path / "lake", "positions") == [
        "day=2026-01-26/artemis_balances-20260126.parquet",
        "day=2026-01-27/artemis_balances-20260126.parquet",
        "day=2026-01-27/artemis_balances-20260127.parquet",
    ]


def test_landing_twice_leaves_the_same_bytes(root, tmp_path):
    lake = tmp_path / "lake"
    land_balances(root, lake)
    before = held(lake)
    land_balances(root, lake)
    assert held(lake) == before


def test_a_day_without_a_file_is_absent_and_a_gap(root, tmp_path):
    landed = land_balances(root, tmp_path / "lake", date(2026, 1, 25), date(2026, 1, 28))
    assert landed[0].gaps == ["artemis_balances: no file of 2026-01-25"]
    for one in (landed[0], landed[2]):
        outcomes = {ask.day.day: ask.outcome for ask in one.asked}
        assert outcomes == {25: "absent", 26: "landed", 27: "landed"}
    assert {ask.source for one in landed for ask in one.asked} == {"artemis_balances"}


def test_an_account_in_two_files_is_landed_once(root, tmp_path):
    put(tmp_path / "archive", TUESDAY, line(1, position()), name="part-1")
    positions, *_ = land_balances(root, tmp_path / "lake", TUESDAY)
    assert (positions.rows, positions.duplicates) == (1, 1)


def test_a_day_on_which_nobody_holds_anything_has_no_snapshot(tmp_path):
    root = put(tmp_path / "archive", MONDAY, line(2))
    landed = land_balances(root, tmp_path / "lake")
    assert [one.rows for one in landed] == [0, 0, 0]
    assert [one.files for one in landed] == [[], [], []]


def test_rows_of_a_simulated_root_say_so(root, tmp_path):
    (tmp_path / "archive/simulated.json").write_text("{}")
    land_balances(root, tmp_path / "lake")
    for table in ("positions", "accounts", "snapshots"):
        assert set(frame(tmp_path / "lake", f"from {table}")["source"]) == {"simulated"}


def test_a_bad_line_leaves_nothing_of_its_day_and_the_days_before_it_stay(root, tmp_path):
    put(tmp_path / "archive", TUESDAY, line(1, position()), {"user": "me"})
    with pytest.raises(SourceError, match=r"2026/01/27/part-0\.jsonl line 2: field user"):
        land_balances(root, tmp_path / "lake")
    names = {part.partition("/")[2] for part in parts(tmp_path / "lake", "positions")}
    assert names == {"artemis_balances-20260126.parquet"}


def test_a_root_without_balances_is_refused(root, tmp_path):
    with pytest.raises(FileNotFoundError, match="no raw/perp_and_spot_balances"):
        land_balances(root, tmp_path / "lake", date(2026, 2, 1))
