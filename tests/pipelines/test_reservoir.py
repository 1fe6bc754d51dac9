import os
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pyarrow as pa
import pytest

from pipelines.sources.errors import SourceError
from pipelines.steps.positions import _Tiers, land_reservoir
from tests.rows import account
from warehouse import open_lake
from warehouse.contracts.table import ContractError
from warehouse.contracts.tables import INSTRUMENTS
from warehouse.store import land

AT = datetime(2026, 1, 2, 18, 30, 15, 250_000, tzinfo=UTC)


def record(holder=1, market="BTC", size=1.0, mark=50_000.0, **others):
    return {
        "user": account(holder),
        "market": market,
        "size": size,
        "notional": abs(float(size)) * mark,
        "entry_price": 49_000.0,
        "liquidation_price": 40_000.0,
        "leverage_type": "cross",
        "leverage": 10,
        "funding_pnl": 0.0,
        "account_value": 12_000.0,
        "account_mode": "standard",
    } | others


SCHEMA = {"liquidation_price": pl.Float64, "leverage": pl.UInt32, "account_mode": pl.String}


def write(root, *records, at=AT, dex="hyperliquid", path=None, schema=SCHEMA):
    ms = int(at.timestamp() * 1000)
    folder = root / (path or f"by_dex/{dex}/snapshots/perp") / f"date={at:%Y-%m-%d}"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{ms // 70}_{ms}.parquet"
    pl.DataFrame(list(records), schema_overrides=schema).write_parquet(file)
    return file


@pytest.fixture
def root(tmp_path):
    return tmp_path / "archive"


@pytest.fixture
def lake(tmp_path):
    return tmp_path / "lake"


def rows(lake, query):
    with open_lake(lake) as con:
        return con.sql(query).fetchall()


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


def test_a_root_without_the_archives_folders_says_what_it_looked_for(tmp_path, lake):
    with pytest.raises(FileNotFoundError, match=r"global/snapshots/perp/all/ or by_dex/"):
        land_reservoir(str(tmp_path), lake)


def test_the_bucket_may_be_a_folder_of_the_root(tmp_path, lake):
    write(tmp_path / "hydromancer-reservoir", record())
    land_reservoir(str(tmp_path), lake)
    assert rows(lake, "select count(*) from positions") == [(1,)]


def test_unknown_fields_are_tolerated_and_counted(root, lake):
    write(root, record(novelty=1), record(2, novelty=2))
    positions, _ = land_reservoir(str(root), lake)
    assert positions.unknown_fields == {"novelty": 2}


def test_optional_fields_may_be_missing(root, lake):
    whole = record()
    write(
        root,
        {name: whole[name] for name in whole if name not in {"account_mode", "funding_pnl"}},
        schema={},
    )
    land_reservoir(str(root), lake)
    assert rows(lake, "select account_mode, funding_pnl from positions") == [(None, None)]


@pytest.mark.parametrize(
    ("records", "says"),
    [
        (
            [{k: v for k, v in record().items() if k != "market"}],
            r"\.parquet: field market is mi",
        ),
        ([record(size="1.0")], r"\.parquet: field size must be a number, is String"),
        ([record(user=5)], r"\.parquet: field user must be text, is Int64"),
        (
            [record(), record(2, notional=None)],
            r"\.parquet row 1: field notional must not be n",
        ),
        ([record(), record(2, size=0.0)], r"\.parquet row 1: field size must not be 0"),
        ([record(), record(2, notional=0.0)], r"\.parquet row 1: field notional must be above"),
        (
            [record(), record(user="0xAB")],
            r"\.parquet row 1: field user must be 0x and 40 digits, is 0xAB",
        ),
    ],
)
def test_what_the_source_may_not_hold_names_file_row_and_field(root, lake, records, says):
    write(root, *records, schema={})
    with pytest.raises(SourceError, match=says):
        land_reservoir(str(root), lake)
    assert not list(lake.rglob("*"))


def test_a_truncated_file_is_named(root, lake):
    file = write(root, record())
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(SourceError, match=r"\.parquet: cannot be read as Parquet"):
        land_reservoir(str(root), lake)
    assert not list(lake.rglob("*"))


def test_two_positions_of_one_account_in_one_coin_are_refused(root, lake):
    write(root, record(), record())
    with pytest.raises(ContractError, match="positions: one row per coin, account"):
        land_reservoir(str(root), lake)
    assert not list(lake.rglob("*"))


def test_a_fault_in_a_later_file_leaves_the_lake_as_it_was(root, lake):
    write(root, record())
    land_reservoir(str(root), lake)
    before = {file: file.read_bytes() for file in lake.rglob("*.parquet")}
    write(root, record(size=2.0))
    write(root, record(), record(), at=AT + timedelta(days=1))
    with pytest.raises(ContractError):
        land_reservoir(str(root), lake)
    assert {file: file.read_bytes() for file in lake.rglob("*.parquet")} == before


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


def test_an_archive_without_any_snapshot_is_an_error(root, lake):
    (root / "by_dex").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match="no snapshot from 2027-01-01 to 2027-01-02"):
        land_reservoir(str(root), lake, date(2027, 1, 1), date(2027, 1, 2))
    with pytest.raises(ValueError, match="must be before until"):
        land_reservoir(str(root), lake, date(2027, 1, 2), date(2027, 1, 2))


def test_entry_prices_and_leverages_not_above_0_are_none_and_counted(root, lake):
    write(root, record(1, entry_price=0.0), record(2, entry_price=-1.0, leverage=0), record(3))
    positions, _ = land_reservoir(str(root), lake)
    assert rows(lake, "select entry_px, leverage from positions order by account") == [
        (None, 10.0),
        (None, None),
        (49_000.0, 10.0),
    ]
    assert positions.notes == [
        "2 entry prices not above 0 were read as none",
        "1 leverages not above 0 were read as none",
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


def test_no_snapshot_in_a_range_with_an_open_end_is_an_error(root, lake):
    write(root, record())
    with pytest.raises(FileNotFoundError, match="no snapshot from 2027-01-01 to the last"):
        land_reservoir(str(root), lake, date(2027, 1, 1))


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


@pytest.fixture(scope="module")
def real_lake(real, tmp_path_factory):
    lake = tmp_path_factory.mktemp("real")
    land_reservoir(str(real), lake, date(2026, 2, 5), date(2026, 2, 7))
    return lake


def test_real_rows_land_whole(real, real_lake):
    files = sorted(
        real.glob("hydromancer-reservoir/by_dex/*/snapshots/perp/date=2026-02-0[56]/*")
    )
    held = sum(pl.read_parquet(file).height for file in files)
    assert rows(real_lake, "select count(*) from positions") == [(held,)]
    assert rows(real_lake, "select count(*) from snapshots") == [(len(files),)]


@pytest.mark.parametrize("coin", ["BTC", "ETH", "SOL", "HYPE"])
@pytest.mark.parametrize("at", ["2026-02-05T12:00Z", "2026-02-06T00:00Z"])
def test_real_scenarios_agree_with_sums_by_hand(real, real_lake, coin, at):
    from warehouse import ask

    moment = ask.moment(at)
    files = real.glob("hydromancer-reservoir/by_dex/hyperliquid/snapshots/perp/*/*.parquet")
    stamps = {int(file.stem.partition("_")[2]): file for file in files}
    newest = max(ms for ms in stamps if ms <= moment.timestamp() * 1000)
    book = pl.read_parquet(stamps[newest], hive_partitioning=False).filter(market=coin)
    mark = (book["notional"] / book["size"].abs()).median()
    with open_lake(real_lake) as con:
        answer = ask.cascade_scenarios(con, coin, moment, [5, 10, 15])
        cells = ask.liquidation_map(con, coin, moment)
    for row in answer.rows:
        got = dict(zip(answer.columns, row, strict=True))
        assert got["snapshot_ts"] == datetime.fromtimestamp(newest / 1000, UTC)
        assert got["current_px"] == pytest.approx(mark)
        px, down = pl.col("liquidation_price"), got["direction"] == "down"
        reached = book.filter(
            (pl.col("size") > 0) & (px >= mark * (1 - got["pct"] / 100))
            if down
            else (pl.col("size") < 0) & (px <= mark * (1 + got["pct"] / 100))
        )
        assert got["positions"] == reached.height
        assert got["notional"] == pytest.approx(
            (reached["size"].abs() * reached["liquidation_price"]).sum()
        )
    whole = (book["size"].abs() * book["liquidation_price"]).sum()
    notional = cells.columns.index("notional")
    assert sum(row[notional] for row in cells.rows) == pytest.approx(whole)
