import os
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest

from pipelines.steps.positions import _Tiers, land_reservoir
from tests.pipelines.data_reservoir import AT, record, rows, write
from tests.rows import account
from warehouse.contracts.tables import INSTRUMENTS
from warehouse.store import land


@pytest.fixture
def root(tmp_path):
    return tmp_path / "archive"


@pytest.fixture
def lake(tmp_path):
    return tmp_path / "lake"


def test_a_snapshot_lands_under_its_own_time(root, lake):
    write(root, record(), record(2, "ETH", -3.0, 2_000.0))
    positions, snapshots = land_reservoir(str(root), lake)
    assert (positions.rows, snapshots.rows) == (2, 1)
    assert [file.parent.name for file in positions.files] == ["day=2026-01-02"]
    assert rows(
        lake, "select coin, account, size, mark_px, snapshot_ts, source, scope from positions"
    ) == [
        ("BTC", account(1), 1.0, 50_000.0, AT, "reservoir", "hyperliquid"),
        ("ETH", account(2), -3.0, 2_000.0, AT, "reservoir", "hyperliquid"),
    ]


def test_a_snapshot_is_known_an_hour_after_the_midnight_that_follows_it(root, lake):
    write(root, record())
    land_reservoir(str(root), lake)
    published = datetime(2026, 1, 3, 1, tzinfo=UTC)
    assert rows(lake, "select distinct known_ts from positions") == [(published,)]
    assert rows(lake, "select known_ts from snapshots") == [(published,)]


def test_landing_twice_leaves_the_same_bytes(root, lake):
    write(root, *(record(holder) for holder in range(1, 60)))
    files = [file for landed in land_reservoir(str(root), lake) for file in landed.files]
    first = [file.read_bytes() for file in files]
    land_reservoir(str(root), lake)
    assert [file.read_bytes() for file in files] == first
    assert sorted(lake.rglob("day=*/*")) == sorted(files)


def test_the_range_is_half_open_and_by_the_snapshots_own_day(root, lake):
    for days in range(4):
        write(root, record(), at=AT + timedelta(days=days))
    land_reservoir(str(root), lake, date(2026, 1, 3), date(2026, 1, 5))
    assert rows(lake, "select day from snapshots order by day") == [
        (date(2026, 1, 3),),
        (date(2026, 1, 4),),
    ]


def test_days_without_a_snapshot_are_said(root, lake):
    write(root, record())
    write(root, record(), at=AT + timedelta(days=2))
    positions, _ = land_reservoir(str(root), lake)
    assert positions.gaps == ["reservoir: no snapshot on 2026-01-03"]
    positions, _ = land_reservoir(str(root), lake, date(2026, 1, 1), date(2026, 1, 3))
    assert positions.gaps == ["reservoir: no snapshot on 2026-01-01"]


def test_the_known_hole_of_the_source_is_a_fact_not_a_failure(root, lake):
    write(root, record(), at=datetime(2025, 11, 30, 20, tzinfo=UTC))
    positions, _ = land_reservoir(str(root), lake, date(2025, 11, 30), date(2025, 12, 2))
    assert positions.gaps == [
        "reservoir: no snapshot on 2025-12-01 (a known hole of the source)"
    ]


def test_the_file_of_every_dex_replaces_those_of_single_dexes_on_its_own_day_only(root, lake):
    for days in range(2):
        write(root, record(), at=AT + timedelta(days=days, hours=1))
    write(root, record(market="xyz:TSLA"), path="global/snapshots/perp/all")
    land_reservoir(str(root), lake)
    assert rows(lake, "select day, coin, scope from positions order by day") == [
        (date(2026, 1, 2), "xyz:TSLA", "all"),
        (date(2026, 1, 3), "BTC", "hyperliquid"),
    ]


def test_the_bucket_may_be_a_folder_of_the_root(tmp_path, lake):
    write(tmp_path / "hydromancer-reservoir", record())
    land_reservoir(str(tmp_path), lake)
    assert rows(lake, "select count(*) from positions") == [(1,)]


def test_positions_are_there_before_their_row_in_snapshots(root, lake, monkeypatch):
    for days in range(3):
        write(root, record(), at=AT + timedelta(days=days))
    moved, replace = [], os.replace

    def watched(part, place):
        if ".draft" not in str(part):
            moved.append(place.relative_to(lake).parts[0])
        replace(part, place)

    monkeypatch.setattr(os, "replace", watched)
    land_reservoir(str(root), lake)
    assert moved == ["positions"] * 3 + ["snapshots"] * 3


def test_a_day_without_a_snapshot_is_gaps_and_no_rows(root, lake):
    write(root, record())
    landed = land_reservoir(str(root), lake, date(2027, 1, 1), date(2027, 1, 3))
    assert [(one.table, one.rows, one.files) for one in landed] == [
        ("positions", 0, []),
        ("snapshots", 0, []),
    ]
    assert landed[0].gaps == [
        "reservoir: no snapshot on 2027-01-01",
        "reservoir: no snapshot on 2027-01-02",
    ]


def test_tiers_are_those_in_force_and_known_when_the_snapshot_was(lake):
    def instrument(leverage, effective, known, source):
        return {
            "coin": "BTC",
            "effective_ts": effective,
            "max_leverage": leverage,
            "size_decimals": 5,
            "margin_tiers": [{"lower_bound": 0.0, "max_leverage": leverage}],
            "source": source,
            "known_ts": known,
        }

    hour = timedelta(hours=1)
    made = [
        instrument(10.0, AT - 9 * hour, AT - 9 * hour, "a"),
        instrument(20.0, AT - 5 * hour, AT + 5 * hour, "a"),
        instrument(25.0, AT - 5 * hour, AT + 2 * hour, "b"),
        instrument(30.0, AT - 2 * hour, AT + 50 * hour, "a"),
        instrument(40.0, AT + hour, AT - 9 * hour, "a"),
    ]
    land(lake, INSTRUMENTS, pa.Table.from_pylist(made, INSTRUMENTS.schema), "made")
    tiers = _Tiers(lake)
    held = [tiers.at(AT, AT + n * hour).tiers["BTC"][0].max_leverage for n in (0, 3, 6, 60)]
    assert held == [10.0, 25.0, 20.0, 30.0]


def test_missing_prices_are_filled_in_and_counted(root, lake):
    write(
        root,
        record(1),
        record(2, liquidation_price=None),
        record(3, liquidation_price=None, account_value=1e9),
        record(4, liquidation_price=None, leverage_type=None),
        record(5, liquidation_price=-1.0, account_value=1e9),
    )
    # The account value behind holder 1's price must not contradict it.
    # raw + 40000 = 40000 / 80  =>  available = raw + 50000 - 50000 / 80.
    raw = 40_000 / 80 - 40_000
    value = raw + 50_000
    write(
        root,
        record(1, account_value=value),
        record(2, liquidation_price=None),
        record(3, liquidation_price=None, account_value=1e9),
        record(4, liquidation_price=None, leverage_type=None),
        record(5, liquidation_price=-1.0, account_value=1e9),
    )
    positions, _ = land_reservoir(str(root), lake)
    # (12000 - 50000) / -(1 - 1/80)
    assert rows(
        lake, "select liquidation_px_source, liquidation_px from positions order by account"
    ) == [
        ("venue", 40_000.0),
        ("computed", pytest.approx(38_000 / (1 - 1 / 80))),
        (None, None),
        (None, None),
        (None, None),
    ]
    assert rows(
        lake, "select px_venue, px_computed, px_never, px_unknown, accounts from snapshots"
    ) == [(1, 1, 2, 1, 5)]
    assert positions.notes == ["1 liquidation prices not above 0 were read as none"]


def test_progress_reaches_its_end(root, lake):
    for days in range(3):
        write(root, record(), at=AT + timedelta(days=days))
    seen = []
    land_reservoir(str(root), lake, progress=lambda *now: seen.append(now[1:]))
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]
