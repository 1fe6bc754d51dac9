from datetime import date

import pytest

from pipelines.landed import PartlyLanded
from pipelines.steps.fills import land_hourly_fills
from tests.pipelines.data_fills import (
    HOUR,
    NOON,
    block,
    fill,
    put,
    tree,
)
from tests.pipelines.data_landed_fills import DAY, MIDNIGHT, NEXT, a_day
from warehouse import open_lake


def every_fill(lake):
    with open_lake(lake) as con:
        return con.sql("from fills order by all").fetchall()


def hours_of(lake):
    return [path for path in tree(lake) if path.startswith("fills/")]


def test_a_bad_line_costs_its_file_and_no_other(tmp_path):
    lines = [block(fill(NOON + 9 * HOUR)), block(fill(NOON + 9 * HOUR, px=None))]
    root = a_day(tmp_path / "archive", range(24))
    land_hourly_fills(root, tmp_path / "whole")
    put(tmp_path / "archive", {MIDNIGHT + 21 * HOUR: lines})
    with pytest.raises(PartlyLanded) as caught:
        land_hourly_fills(root, tmp_path / "lake")
    why = (
        "node_fills_by_block/hourly/20251010/21.lz4 line 2: "
        "fill field px: must be a decimal string, is null"
    )
    assert str(caught.value) == f"{why}; the other hours were landed"
    [landed] = caught.value.landed
    asked = {ask.hour: (ask.outcome, ask.reason) for ask in landed.asked}
    assert asked.pop(21) == ("failed", why)
    assert set(asked.values()) == {("landed", None)}
    assert why in landed.gaps
    missing = set(hours_of(tmp_path / "whole")) - set(hours_of(tmp_path / "lake"))
    assert missing <= {"fills/day=2025-10-10/node_fills_by_block-21.parquet"}
    a_day(tmp_path / "archive", range(24))  # the source mends its file
    land_hourly_fills(root, tmp_path / "lake")
    assert every_fill(tmp_path / "lake") == every_fill(tmp_path / "whole") != []


def test_a_bad_file_beside_the_range_is_a_note(tmp_path):
    files = {NOON: [block(fill())], MIDNIGHT + 24 * HOUR: b"\0" * 20}
    root = put(tmp_path / "archive", files)
    landed = land_hourly_fills(root, tmp_path / "lake", DAY, NEXT)
    assert any("beside the range: " in note and "LZ4" in note for note in landed.notes)
    assert landed.rows == 1


def test_an_hour_landed_before_stays_where_its_file_goes_bad(tmp_path):
    root = a_day(tmp_path / "archive", range(24))
    land_hourly_fills(root, tmp_path / "lake")
    before = tree(tmp_path / "lake")
    put(tmp_path / "archive", {MIDNIGHT + 23 * HOUR: b"\0" * 20})
    with pytest.raises(PartlyLanded, match=r"20251010/23\.lz4: must be LZ4 frames"):
        land_hourly_fills(root, tmp_path / "lake")
    assert tree(tmp_path / "lake") == before


def test_a_row_that_breaks_the_contract_is_refused_with_its_hour(tmp_path):
    files = {NOON: [block(fill())], NOON + HOUR: [block(fill(NOON + HOUR, px="-1.0"))]}
    with pytest.raises(PartlyLanded, match=r"fills\.px: must be 0 or more, is -1\.0"):
        land_hourly_fills(put(tmp_path / "archive", files), tmp_path / "lake")
    assert hours_of(tmp_path / "lake") == [
        "fills/day=2025-10-10/node_fills_by_block-12.parquet"
    ]


def test_what_a_killed_landing_left_is_swept_and_a_living_ones_stays(tmp_path):
    lake = tmp_path / "lake"
    dead, living = lake / ".landing-999999999-x", lake / ".landing-1-x"
    for folder in (dead, living):
        (folder / "fills").mkdir(parents=True)
    land_hourly_fills(a_day(tmp_path / "archive", range(2)), lake)
    assert (dead.exists(), living.exists()) == (False, True)


def test_files_that_nobody_documented_are_told_and_not_read(tmp_path):
    root = put(tmp_path / "archive", {NOON: [block(fill())]})
    hourly = tmp_path / "archive/node_fills_by_block/hourly"
    for path in ("20251010/07.lz4", "20251010/24.lz4", "20251399/7.lz4", "20251010/7.lz4.tmp"):
        (hourly / path).parent.mkdir(exist_ok=True)
        (hourly / path).write_bytes(b"?")
    landed = land_hourly_fills(root, tmp_path / "lake")
    assert any("4 files not read, their names are not documented" in n for n in landed.notes)
    assert landed.rows == 1


def test_a_range_that_cannot_be_bounded_or_is_empty_is_an_error_that_names_it(tmp_path):
    root = put(tmp_path / "archive", {NOON: [block(fill())]})
    with pytest.raises(FileNotFoundError, match=r"from 2025-11-01 to the last"):
        land_hourly_fills(root, tmp_path / "lake", date(2025, 11, 1))
    with pytest.raises(ValueError, match=r"since 2025-11-01 must be before until 2025-11-01"):
        land_hourly_fills(root, tmp_path / "lake", date(2025, 11, 1), date(2025, 11, 1))


def test_an_archive_without_files_is_an_error(tmp_path):
    (tmp_path / "node_fills_by_block/hourly").mkdir(parents=True)
    with pytest.raises(
        FileNotFoundError, match=r"no node_fills_by_block/hourly/YYYYMMDD/H\.lz4"
    ):
        land_hourly_fills(str(tmp_path), tmp_path / "lake")


def test_a_source_that_is_none_is_an_error_that_names_them_all(tmp_path):
    with pytest.raises(ValueError, match=r"source 'x': must be one of node_fills_by_block, "):
        land_hourly_fills(str(tmp_path), tmp_path / "lake", source="x")
