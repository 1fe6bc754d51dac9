"""Compacting makes a day one file; answers, lines and corrections stay as they were."""

import hashlib
from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.rows import T0, land_snapshot, position
from tests.warehouse.hourly_fills import (
    AT_ONCE,
    FILE,
    files,
    land_fills,
    land_hours,
    lines,
    run,
    shown,
)
from warehouse.contracts.tables import FILLS
from warehouse.store import Lake, NoLake, parts_of
from warehouse.store.compaction import compact
from warehouse.store.ledger import as_parts, change
from warehouse.store.parts import read_part


def test_a_day_becomes_one_file_and_answers_stay_the_same(lake):
    land_hours(lake)
    for hour in range(3):
        rows = [position(holder=n, size=1.0 + hour) for n in range(1, 9)]
        land_snapshot(lake, rows, T0 + timedelta(hours=hour))
    before = {name: shown(lake, name) for name in ("fills", "positions", "snapshots")}
    done = run(lake)
    assert {name: shown(lake, name) for name in before} == before
    assert (done.files, done.parts, done.rows) == (3, 9, 45 + 24 + 3)
    assert len(done.removed) == 9
    assert [path.rpartition("/")[0] for path in files(lake)] == [
        f"{table}/day=2026-01-02" for table in ("fills", "positions", "snapshots")
    ]


def test_the_file_is_sorted_by_grain(tmp_path):
    land_hours(tmp_path)
    run(tmp_path)
    (body,) = files(tmp_path).values()
    rows = read_part(body)
    assert rows.equals(rows.sort_by([(name, "ascending") for name in FILLS.grain]))
    assert rows["coin"][0].as_py() == "BTC"
    assert rows.schema.equals(FILLS.schema)


def test_every_part_keeps_its_line(tmp_path):
    land_hours(tmp_path)
    before = lines(tmp_path)
    run(tmp_path)
    after = lines(tmp_path)
    assert len({line.path for line in after.values()}) == 1
    for key, line in before.items():
        for name in ("origins", "hash", "bytes", "rows", "min_ts", "max_ts", "received_ts"):
            assert getattr(after[key], name) == getattr(line, name)


def test_compacting_again_changes_nothing(tmp_path):
    land_hours(tmp_path)
    run(tmp_path)
    ledger = (tmp_path / "_ledger/parts.parquet").stat().st_mtime_ns
    before = files(tmp_path)
    done = run(tmp_path)
    assert (done.files, done.removed, files(tmp_path)) == (0, [], before)
    assert (tmp_path / "_ledger/parts.parquet").stat().st_mtime_ns == ledger


@pytest.mark.parametrize("order", [(2, 1, 0), (1, 0, 2)])
def test_the_order_of_landing_does_not_matter(tmp_path, order):
    land_hours(tmp_path / "a")
    run(tmp_path / "a")
    land_hours(tmp_path / "b", order[:2])
    run(tmp_path / "b")
    land_hours(tmp_path / "b", order[2:])
    run(tmp_path / "b")
    assert files(tmp_path / "a") == files(tmp_path / "b")


def test_the_same_batch_again_is_nothing(lake):
    land_hours(lake)
    run(lake)
    before, ledger = files(lake), Lake.at(lake).read("_ledger/parts.parquet")
    land_hours(lake)
    assert files(lake) == before
    assert Lake.at(lake).read("_ledger/parts.parquet") == ledger


def test_other_rows_of_the_same_origins_take_the_place_of_the_old(lake):
    land_hours(lake)
    expected = shown(lake)
    run(lake)
    land_fills(lake, 1, px=50.0)
    rows = shown(lake)
    assert len(rows) == 45
    assert [row for row in rows if row not in expected] == [
        row for row in rows if row[1].hour == 1
    ]
    assert {line.compacted for line in lines(lake).values()} == {False}
    assert run(lake).files == 1
    assert shown(lake) == rows
    assert len(files(lake)) == 1


def test_a_correction_keeps_what_was_knowable(lake):
    land_hours(lake)
    before = shown(lake, "fills_versions")
    run(lake)
    land_fills(lake, 1, px=50.0, origins=[FILE._replace(hash="2")])
    versions = shown(lake, "fills_versions")
    assert sorted(row[:-2] for row in versions if row[-2] is None) == [
        row[:-2] for row in before
    ]
    assert len([row for row in versions if row[-1] is not None]) == 15
    assert len(shown(lake)) == 45
    held = lines(lake)
    assert held["test-01", 1].superseded_ts == held["test-01", 2].since_ts
    run(lake)
    assert shown(lake, "fills_versions") == versions
    assert [line.compacted for line in lines(lake).values()] == [True, False, False, True]


def test_parts_come_back_with_the_bytes_they_were_landed_with(tmp_path):
    land_hours(tmp_path)
    before = lines(tmp_path)
    run(tmp_path)
    land_fills(tmp_path, 1, px=50.0)
    for key in (("test-00", 1), ("test-02", 1)):
        line = lines(tmp_path)[key]
        assert (line.hash, line.bytes) == (before[key].hash, before[key].bytes)
        assert hashlib.sha256((tmp_path / line.path).read_bytes()).hexdigest() == line.hash


def test_an_open_day_is_left_alone(tmp_path):
    land_hours(tmp_path)
    assert compact(tmp_path, T0 + timedelta(hours=23), **AT_ONCE).files == 0
    assert compact(tmp_path, T0 + timedelta(hours=24), **AT_ONCE).files == 1


def test_only_the_days_and_tables_that_were_asked_for_are_compacted(tmp_path):
    day = date(2026, 1, 2)
    land_hours(tmp_path)
    assert run(tmp_path, until=day).files == 0
    assert run(tmp_path, since=day + timedelta(days=1)).files == 0
    assert run(tmp_path, tables=["positions"]).files == 0
    with pytest.raises(ValueError, match="table 'x' is not one of positions, "):
        run(tmp_path, tables=["x"])
    assert run(tmp_path, since=day, until=day + timedelta(days=1), tables=["fills"]).files == 1


def test_a_lake_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(NoLake):
        run(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_what_an_older_contract_wrote_is_compacted_apart(tmp_path):
    land_hours(tmp_path)
    held = as_parts(parts_of(Lake.at(tmp_path)))
    old = replace(held[0], contract=2)
    change(Lake.at(tmp_path), [old.key], lambda _: [old])
    land_hours(tmp_path, (3,))
    assert run(tmp_path).parts == 3
    assert len(files(tmp_path)) == 2
