import json
from datetime import UTC, date, datetime

import pytest

from pipelines.sources.errors import SourceError
from pipelines.sources.imports.mapping import MappingError
from pipelines.steps.imports import (
    land_hypertracker,
    land_import,
    land_kiyotaka,
    read_files,
    read_mapping,
)
from tests.pipelines.data_lake import frame, held, parts
from tests.rows import account
from warehouse.store import Lake, parts_of

AT = datetime(2026, 4, 1, 12, tzinfo=UTC)
MAPPING = """
table = "positions"
source = "my_export"
[columns]
coin = "asset"
account = "wallet"
size = "qty"
notional = "usd"
snapshot_ts = { column = "time", unit = "iso" }
scope = { value = "hyperliquid" }
known_ts = { delay = "1h", after = "snapshot_ts" }
"""
HEADER = "time,wallet,asset,qty,usd"


def row(holder=1, coin="BTC", size=1.0, day=1):
    return f"2026-04-0{day}T12:00:00Z,{account(holder)},{coin},{size},{abs(size) * 7e4}"


@pytest.fixture
def mine(tmp_path):
    """A mapping, and a function that writes an export of some rows."""
    (tmp_path / "mine.toml").write_text(MAPPING)

    def put(*rows, name="mine.csv", header=HEADER):
        file = tmp_path / name
        file.write_text("\n".join((header, *rows, "")))
        return str(file)

    return put


def mapping(tmp_path):
    return read_mapping(str(tmp_path / "mine.toml"))


def test_positions_land_with_their_snapshot(mine, tmp_path):
    file, lake = mine(row(), row(2, "ETH", -3.0)), tmp_path / "lake"
    positions, snapshots = land_import([file], lake, mapping(tmp_path))
    assert (positions.rows, snapshots.rows) == (2, 1)
    rows = frame(lake, "select coin, size, mark_px, source from positions order by coin").rows()
    assert rows == [("BTC", 1.0, 70_000.0, "my_export"), ("ETH", -3.0, 70_000.0, "my_export")]
    (snapshot,) = frame(lake, "from snapshots").to_dicts()
    assert (snapshot["positions"], snapshot["complete"], snapshot["source"]) == (
        2,
        False,
        "my_export",
    )


def test_a_part_knows_the_file_it_was_read_from(mine, tmp_path):
    land_import([mine(row())], tmp_path / "lake", mapping(tmp_path))
    for line in parts_of(Lake.at(tmp_path / "lake")).to_pylist():
        (origin,) = line["origins"]
        assert origin["url"] == str(tmp_path / "mine.csv")
        assert origin["size"] == len((tmp_path / "mine.csv").read_bytes())
        assert line["part"].startswith("my_export-")


def test_the_same_file_lands_once_whatever_it_is_called(mine, tmp_path):
    lake = tmp_path / "lake"
    land_import([mine(row())], lake, mapping(tmp_path))
    before = held(lake)
    land_import([mine(row())], lake, mapping(tmp_path))
    assert held(lake) == before
    land_import([mine(row(), name="other.csv")], lake, mapping(tmp_path))
    assert held(lake) == before


def test_a_changed_export_of_the_same_name_is_another_batch(mine, tmp_path):
    lake = tmp_path / "lake"
    land_import([mine(row())], lake, mapping(tmp_path))
    land_import([mine(row(day=2))], lake, mapping(tmp_path))
    days = frame(lake, "select day from positions order by day")["day"].to_list()
    assert days == [date(2026, 4, 1), date(2026, 4, 2)]
    first, second = (part.partition("my_export-")[2] for part in parts(lake, "positions"))
    assert first != second


def test_several_files_are_one_batch_in_any_order(mine, tmp_path):
    files = [mine(row(), name="a.csv"), mine(row(2), row(), name="b.csv")]
    positions, _ = land_import(files, tmp_path / "lake", mapping(tmp_path))
    assert (positions.rows, positions.duplicates, len(positions.files)) == (2, 1, 1)
    before = held(tmp_path / "lake")
    land_import(files[::-1], tmp_path / "lake", mapping(tmp_path))
    assert held(tmp_path / "lake") == before


def test_unknown_columns_are_counted(mine, tmp_path):
    file = mine(f"{row()},7", header=f"{HEADER},mood")
    positions, _ = land_import([file], tmp_path / "lake", mapping(tmp_path))
    assert positions.unknown_fields == {"mood": 1}


def test_a_bad_row_lands_nothing(mine, tmp_path):
    with pytest.raises(SourceError, match=r"csv line 3: field qty for size must not be 0"):
        land_import([mine(row(), row(2, size=0.0))], tmp_path / "lake", mapping(tmp_path))
    assert not (tmp_path / "lake").exists()


def test_a_mapping_that_is_none_is_one_line(tmp_path):
    (tmp_path / "mine.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(MappingError, match=r"mine\.toml: must be text in UTF-8"):
        mapping(tmp_path)
    (tmp_path / "mine.toml").write_text(MAPPING + "sizee = 'x'")
    with pytest.raises(MappingError, match="did you mean size"):
        mapping(tmp_path)


@pytest.mark.parametrize("name", ["none.csv", "none/none.csv", ""])
def test_a_file_that_is_not_there_is_named(tmp_path, name):
    with pytest.raises(FileNotFoundError, match="no such f"):
        read_files([f"{tmp_path}/{name}"])


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "mine.csv").mkdir()
    with pytest.raises(IsADirectoryError, match=r"mine\.csv: is a folder"):
        read_files([str(tmp_path / "mine.csv")])


def test_a_file_of_the_working_folder_is_found(tmp_path, monkeypatch):
    (tmp_path / "mine.csv").write_text("x")
    monkeypatch.chdir(tmp_path)
    assert read_files(["mine.csv"]) == {"mine.csv": b"x"}


def test_exports_of_hypertracker_land_at_their_moment(tmp_path):
    head = "address,coin,side,dex,size,value,entryPrice,liquidationPrice"
    for coin in ("BTC", "ETH"):
        line = f"{account(1)},{coin},short,main,0.5,35000,71000,90000"
        (tmp_path / f"{coin}.csv").write_text(f"{head}\n{line}\n")
    files, lake = [str(tmp_path / f"{coin}.csv") for coin in ("BTC", "ETH")], tmp_path / "lake"
    positions, snapshots = land_hypertracker(files, lake, AT)
    assert (positions.rows, snapshots.rows) == (2, 1)
    assert frame(lake, "select distinct snapshot_ts, source from positions").rows() == [
        (AT, "hypertracker")
    ]
    assert frame(lake, "select complete from snapshots").rows() == [(False,)]
    land_hypertracker(files, tmp_path / "whole", AT, complete=True)
    assert frame(tmp_path / "whole", "select complete from snapshots").rows() == [(True,)]


def test_a_heatmap_of_kiyotaka_lands_as_levels(tmp_path):
    about = {"type": "HYPERLIQUID_LIQUIDATION_AGG", "interval": "HOUR", "coin": "BTC"}
    point = {"Point": {"timestamp": {"s": 1_774_800_000}, "levels": [66210, 0.5, 66220, 1.0]}}
    file = tmp_path / "btc.json"
    file.write_text(json.dumps({"series": [{"id": about, "points": [point]}]}))
    (landed,) = land_kiyotaka([str(file)], tmp_path / "lake", "coin")
    assert (landed.table, landed.rows) == ("imported_levels", 2)
    rows = frame(tmp_path / "lake", "select px, size, source from imported_levels order by px")
    assert rows.rows() == [
        (66210.0, 0.5, "kiyotaka-coin-hour"),
        (66220.0, 1.0, "kiyotaka-coin-hour"),
    ]
