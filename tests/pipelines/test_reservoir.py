from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from pipelines.sources.errors import SourceError
from pipelines.steps.positions import land_reservoir
from tests.rows import account
from warehouse import open_lake
from warehouse.contracts.table import ContractError

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
    assert sorted(lake.rglob("*.*")) == sorted(files)


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


def test_the_file_of_every_dex_is_preferred(root, lake):
    write(root, record())
    write(root, record(market="xyz:TSLA"), path="global/snapshots/perp/all")
    land_reservoir(str(root), lake)
    assert rows(lake, "select coin, scope from positions") == [("xyz:TSLA", "all")]


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
    ],
)
def test_what_the_source_may_not_hold_names_file_row_and_field(root, lake, records, says):
    write(root, *records, schema={})
    with pytest.raises(SourceError, match=says):
        land_reservoir(str(root), lake)
    assert not lake.exists()


def test_a_truncated_file_is_named(root, lake):
    file = write(root, record())
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(SourceError, match=r"\.parquet: cannot be read as Parquet"):
        land_reservoir(str(root), lake)
    assert not lake.exists()


def test_two_positions_of_one_account_in_one_coin_are_refused(root, lake):
    write(root, record(), record())
    with pytest.raises(ContractError, match="positions: one row per snapshot_ts"):
        land_reservoir(str(root), lake)
    assert not lake.exists()


def test_no_snapshot_in_the_range(root, lake):
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
