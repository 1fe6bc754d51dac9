from datetime import date

from pipelines.sources.hourly_fills import KINDS
from pipelines.steps.fills import land_hourly_fills
from tests.pipelines.data_fills import (
    HOUR,
    NOON,
    block,
    fill,
    put,
    tree,
)
from tests.pipelines.data_landed_fills import (
    DAY,
    NEXT,
    a_day,
    rows_of,
)


def test_a_missing_hour_is_a_gap_and_a_missing_neighbour_a_note(tmp_path):
    hours = [n for n in range(24) if n != 7]
    root = a_day(tmp_path / "archive", hours)
    for since, until in ((DAY, NEXT), (None, None)):
        landed = land_hourly_fills(root, tmp_path / "lake", since, until)
        assert landed.gaps == ["node_fills_by_block: no file for 2025-10-10 07:00 UTC"]
        beside = [note for note in landed.notes if "beside the range" in note]
        assert [note[:60] for note in beside] == [
            "node_fills_by_block: no file for 2025-10-09 23:00 UTC, besid",
            "node_fills_by_block: no file for 2025-10-11 00:00 UTC, besid",
        ]


def test_hours_asked_for_beyond_the_files_are_gaps(tmp_path):
    root = a_day(tmp_path / "archive", range(12, 24))
    landed = land_hourly_fills(root, tmp_path / "lake", DAY, NEXT)
    assert len(landed.gaps) == 12
    assert landed.gaps[0] == "node_fills_by_block: no file for 2025-10-10 00:00 UTC"


def test_what_an_outage_delayed_is_found_in_the_next_file_there_is(tmp_path):
    files = {
        NOON: [block(fill(NOON, tid=1))],
        NOON + 5 * HOUR: [block(*(fill(NOON + n * HOUR, tid=2 + n) for n in range(6)))],
    }
    landed = land_hourly_fills(put(tmp_path / "archive", files), tmp_path / "lake", DAY, NEXT)
    assert (landed.rows, len(landed.files)) == (7, 6)
    assert not any("not next to" in note for note in landed.notes)


def test_what_strayed_past_other_files_is_landed_and_told(tmp_path):
    files = {NOON + n * HOUR: [block(fill(NOON + n * HOUR, tid=n))] for n in range(5)}
    files[NOON + 4 * HOUR] = [block(fill(NOON, tid=90), fill(NOON, tid=0))]
    files[NOON] += [block(fill(NOON + 3 * HOUR, tid=91))]
    landed = land_hourly_fills(put(tmp_path / "archive", files), tmp_path / "lake")
    hours = {row["trade_id"]: row["time_ts"] for row in rows_of(tmp_path / "lake")}
    assert (hours[90], hours[91]) == (NOON, NOON + 3 * HOUR)
    assert (landed.rows, landed.duplicates, len(landed.files)) == (6, 1, 4)
    assert [note for note in landed.notes if "not next to" in note] == [
        "node_fills_by_block: 3 fills were in a file that is not next to their hour; landing "
        "only a part of this range may miss them"
    ]


def test_a_mirror_with_fewer_files_does_not_thin_out_the_lake(tmp_path):
    land_hourly_fills(a_day(tmp_path / "all"), tmp_path / "lake")
    whole = tree(tmp_path / "lake")
    land_hourly_fills(a_day(tmp_path / "some", range(9, 12)), tmp_path / "lake")
    assert tree(tmp_path / "lake") == whole


def test_a_range_without_files_is_gaps_and_no_rows(tmp_path):
    root = put(tmp_path / "archive", {NOON: [block(fill())]})
    landed = land_hourly_fills(root, tmp_path / "lake", date(2025, 11, 1), date(2025, 11, 2))
    assert (landed.rows, landed.files, len(landed.gaps)) == (0, [], 24)
    assert landed.gaps[0] == "node_fills_by_block: no file for 2025-11-01 00:00 UTC"


def test_each_hour_that_was_asked_for_is_told_with_what_came_of_it(tmp_path):
    root = put(tmp_path / "archive", {NOON: [block(fill())], NOON + 2 * HOUR: []})
    landed = land_hourly_fills(root, tmp_path / "lake", DAY, NEXT)
    told = {ask.hour: (ask.outcome, ask.reason) for ask in landed.asked}
    assert len(landed.asked) == len(told) == 24
    assert {(ask.table_name, ask.day) for ask in landed.asked} == {("fills", DAY)}
    assert told.pop(12) == ("landed", None)
    assert told.pop(14) == ("absent", "its files hold no fill of this hour")
    assert set(told.values()) == {("absent", "no file of this hour")}


def test_hours_that_an_archive_never_had_are_no_gaps(tmp_path):
    """Its first hour is the ninth of its first day."""
    first = KINDS["node_fills_by_block"].covers[0]
    root = put(tmp_path / "archive", {first + n * HOUR: [] for n in range(3)})
    landed = land_hourly_fills(root, tmp_path / "lake", first.date(), date(2025, 7, 28))
    assert len(landed.gaps) == len(landed.asked) - 3 == 24 - first.hour - 3
    assert (
        landed.gaps[0]
        == f"node_fills_by_block: no file for {first + 3 * HOUR:%Y-%m-%d %H:%M} UTC"
    )
    landed = land_hourly_fills(root, tmp_path / "lake", date(2025, 7, 1), date(2025, 7, 2))
    assert (landed.gaps, landed.asked, landed.rows) == ([], [], 0)


def test_a_fill_far_from_its_file_and_outside_the_range_is_said(tmp_path):
    """It may be a fault of the source; it must not vanish without a word."""
    files = {NOON: [block(fill(NOON, tid=1), fill(NOON - 72 * HOUR, tid=2))]}
    root = put(tmp_path / "archive", files)
    landed = land_hourly_fills(root, tmp_path / "lake", date(2025, 10, 10), date(2025, 10, 11))
    assert landed.rows == 1
    assert any("1 fills lie outside the range and more than an hour" in n for n in landed.notes)
