"""Maps are binned piece by piece, as snapshots come."""

import shutil
from datetime import timedelta

from tests.rows import T0, land_snapshot
from tests.warehouse.data_levels import HOUR, book, held, pieces
from warehouse import open_lake
from warehouse.contracts.liquidation_levels import LIQUIDATION_LEVELS
from warehouse.marts import levels as making
from warehouse.marts.refresh import refresh
from warehouse.store import Lake, land, parts_of
from warehouse.store.compaction import compact


def test_a_compacted_day_becomes_one_piece(tmp_path):
    """Pieces do not share a file: of those in it, one may stand and one not."""
    lake = tmp_path / "lake"
    for hour in (1, 2):
        land_snapshot(lake, book(), T0 + hour * HOUR)
        refresh(lake)
    before = held(lake)
    compact(lake, T0 + timedelta(days=3), tables=["liquidation_levels"], grace=timedelta(0))
    assert held(lake) == before
    compact(lake, T0 + timedelta(days=3), grace=timedelta(0))
    assert (held(lake), len(pieces(lake))) == ([], 2)
    refresh(lake)
    assert (held(lake), len(pieces(lake))) == (before, 1)


def test_of_an_open_day_only_files_of_new_snapshots_are_read(tmp_path, monkeypatch):
    lake, read = tmp_path / "lake", []
    opened = making.PositionFile

    def noted(lake, path, known):
        read.append(path)
        return opened(lake, path, known)

    monkeypatch.setattr(making, "PositionFile", noted)
    for hour in range(3):
        positions, _ = land_snapshot(lake, book(), T0 + hour * HOUR)
        assert refresh(lake).rows == 2
        assert [positions.match(path) for path in read] == [True]
        read.clear()
    assert (refresh(lake).days, read) == ([], [])


def test_of_pieces_that_were_made_beside_each_other_each_snapshot_is_shown_once(tmp_path):
    lake, beside = tmp_path / "lake", tmp_path / "beside"
    land_snapshot(lake, book(), T0 + HOUR)
    shutil.copytree(lake, beside)
    refresh(lake)
    for one in (lake, beside):
        land_snapshot(one, book(), T0 + 2 * HOUR)
    refresh(beside)
    (part,) = [
        line["part"]
        for line in parts_of(Lake.at(beside)).to_pylist()
        if line["table_name"] == LIQUIDATION_LEVELS.name
    ]
    with open_lake(beside) as con:
        rows = con.sql("select * exclude (day, px_low, px_high) from liquidation_levels")
        land(lake, LIQUIDATION_LEVELS, rows.to_arrow_table(), part)
    assert pieces(lake) == [T0 + HOUR, T0 + HOUR]
    assert sorted(held(lake)) == sorted(held(beside))
    assert (refresh(lake).rows, pieces(lake)) == (0, [T0 + HOUR])
