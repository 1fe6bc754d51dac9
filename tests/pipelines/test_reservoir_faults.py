from datetime import date, timedelta

import pytest

from pipelines.sources.errors import SourceError
from pipelines.steps.positions import land_reservoir
from tests.pipelines.data_reservoir import AT, record, rows, write
from warehouse.contracts.table import ContractError


@pytest.fixture
def root(tmp_path):
    return tmp_path / "archive"


@pytest.fixture
def lake(tmp_path):
    return tmp_path / "lake"


def test_a_root_without_the_archives_folders_says_what_it_looked_for(tmp_path, lake):
    with pytest.raises(FileNotFoundError, match=r"global/snapshots/perp/all/ or by_dex/"):
        land_reservoir(str(tmp_path), lake)


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


def test_no_snapshot_in_a_range_with_an_open_end_is_an_error(root, lake):
    write(root, record())
    with pytest.raises(FileNotFoundError, match="no snapshot from 2027-01-01 to the last"):
        land_reservoir(str(root), lake, date(2027, 1, 1))
