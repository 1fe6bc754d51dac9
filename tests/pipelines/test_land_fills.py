import json
from datetime import UTC, date, datetime

import lz4.frame
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.landed import PartlyLanded
from pipelines.sources.hourly_fills import KINDS
from pipelines.steps.fills import land_hourly_fills
from tests.pipelines.data_fills import (
    HOUR,
    NOON,
    OTHER,
    USER,
    block,
    blocks,
    body_of,
    fill,
    put,
    tree,
)
from tests.reference import node_fills as plain
from warehouse import open_lake
from warehouse.contracts.tables import FILLS

DAY = date(2025, 10, 10)
NEXT = date(2025, 10, 11)
MIDNIGHT = datetime(2025, 10, 10, tzinfo=UTC)


def rows_of(lake):
    files = sorted(lake.glob("fills/day=*/*.parquet"))
    return [row for file in files for row in pq.ParquetFile(file).read().to_pylist()]


def in_grain_order(rows):
    return sorted(rows, key=lambda row: [row[name] for name in FILLS.grain])


def a_day(folder, hours=range(-1, 25), **changes):
    """Write one fill an hour; each file also gives a late fill and one that came early."""
    files = {}
    for n in hours:
        hour = MIDNIGHT + n * HOUR
        late, early = hour - HOUR / 60, hour + HOUR
        lines = [
            fill(hour, tid=10 * n),
            fill(late, tid=10 * n + 1),
            fill(early, tid=10 * n + 2),
        ]
        files[hour] = [block(*lines)]
    return put(folder, files | changes)


def test_real_rows_are_landed_as_the_obvious_version_says(real, tmp_path):
    folder = real / "hl-mainnet-node-data/node_fills_by_block/hourly"
    bodies = {}
    for file in folder.glob("*/*.lz4"):
        hour = datetime.strptime(file.parent.name, "%Y%m%d").replace(tzinfo=UTC)
        body = plain_body(file)
        bodies[hour + int(file.stem) * HOUR] = body
    landed = land_hourly_fills(str(real), tmp_path)
    wanted, duplicates, _ = plain.landed(bodies, "node_fills_by_block")
    rows = rows_of(tmp_path)
    assert in_grain_order(rows) == in_grain_order(wanted)
    assert (landed.rows, landed.duplicates, landed.gaps) == (36_802, duplicates, [])
    assert len(landed.files) == 72
    assert all(file.exists() for file in landed.files)
    liquidations = [row for row in rows if row["liquidation_method"]]
    assert len(liquidations) == 3_075
    assert sum(row["liquidation_method"] == "adl" for row in liquidations) == 265


def plain_body(file):
    with lz4.frame.open(file) as stream:
        return stream.read()


def test_real_files_are_cut_by_arrival_and_land_by_their_fills_own_time(real, tmp_path):
    landed = land_hourly_fills(str(real / "raw-blocks"), tmp_path)
    assert [(file.parent.name, file.stem) for file in landed.files] == [
        ("day=2025-10-27", "node_fills_by_block-16"),
        ("day=2025-10-27", "node_fills_by_block-17"),
    ]
    assert landed.rows == 3_590


def test_a_real_day_has_the_bytes_it_has_in_the_whole(real, tmp_path):
    land_hourly_fills(str(real), tmp_path / "whole")
    land_hourly_fills(str(real), tmp_path / "day", DAY, NEXT)
    whole = tree(tmp_path / "whole")
    assert tree(tmp_path / "day") == {p: b for p, b in whole.items() if "day=2025-10-10" in p}


@st.composite
def made_files(draw):
    """Make up to four hours' files in which some lines come again, some of them changed."""
    hours = draw(st.sets(st.integers(0, 3), min_size=1))
    files = {n: draw(blocks(NOON - HOUR, 5)) for n in sorted(hours)}
    lines = [line for made in files.values() for line in made]
    for line in draw(st.lists(st.sampled_from(lines), max_size=4)) if lines else []:
        again = json.loads(line)
        for _, each in again["events"]:
            each["fee"] = draw(st.sampled_from([each["fee"], "0.25"]))
        files[draw(st.sampled_from(sorted(hours)))].append(json.dumps(again))
    return files


@given(files=made_files())
@settings(max_examples=40)
def test_made_files_are_landed_as_the_obvious_version_says(files, tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    bodies = {NOON + n * HOUR: lines for n, lines in files.items()}
    landed = land_hourly_fills(put(folder / "archive", bodies), folder / "lake")
    wanted, duplicates, disagreeing = plain.landed(
        {hour: body_of(lines) for hour, lines in bodies.items()}, "node_fills_by_block"
    )
    assert in_grain_order(rows_of(folder / "lake")) == in_grain_order(wanted)
    assert (landed.rows, landed.duplicates) == (len(wanted), duplicates)
    assert any(f"{disagreeing} duplicates" in n for n in landed.notes) == (disagreeing > 0)
    for file in landed.files:
        times = pq.ParquetFile(file).read()["time_ts"].to_pylist()
        assert {f"{when:%Y-%m-%d-%H}" for when in times} == {
            f"{file.parent.name.removeprefix('day=')}-{file.stem[-2:]}"
        }


def test_landing_twice_leaves_the_same_bytes(tmp_path):
    root = a_day(tmp_path / "archive")
    land_hourly_fills(root, tmp_path / "lake")
    first = tree(tmp_path / "lake")
    land_hourly_fills(root, tmp_path / "lake")
    assert tree(tmp_path / "lake") == first


def test_a_day_has_the_bytes_it_has_in_the_whole(tmp_path):
    root = a_day(tmp_path / "archive")
    land_hourly_fills(root, tmp_path / "whole")
    landed = land_hourly_fills(root, tmp_path / "day", DAY, NEXT)
    whole = tree(tmp_path / "whole")
    assert tree(tmp_path / "day") == {p: b for p, b in whole.items() if "day=2025-10-10" in p}
    # 24 hours with their own fill, the late one of the next file and the early one of the last.
    assert (landed.rows, len(landed.files), landed.gaps, landed.notes) == (72, 24, [], [])


def test_fills_are_known_when_their_file_was_published(tmp_path):
    again = fill(NOON, tid=2)
    files = {
        NOON: [block(fill(NOON, tid=1), again)],
        NOON + HOUR: [block(again, fill(NOON, tid=3))],
    }
    landed = land_hourly_fills(put(tmp_path / "archive", files), tmp_path / "lake")
    known = {row["trade_id"]: row["known_ts"] - NOON for row in rows_of(tmp_path / "lake")}
    published = 2 * HOUR + HOUR / 30
    assert known == {1: published, 2: published, 3: HOUR + published}
    assert landed.duplicates == 1


def test_of_duplicates_that_disagree_the_first_known_is_kept_and_told(tmp_path):
    files = {
        NOON + HOUR: [block(fill(px="9"), fill(fee="9", tid=8))],
        NOON: [block(fill(px="1"), fill(px="2"), fill(px="1"), fill(side="A"), fill(tid=8))],
    }
    landed = land_hourly_fills(put(tmp_path / "archive", files), tmp_path / "lake")
    rows = {(row["trade_id"], row["is_buy"]): row for row in rows_of(tmp_path / "lake")}
    assert {key: row["px"] for key, row in rows.items()} == {
        (7, True): 1.0,
        (7, False): 110000.0,
        (8, True): 110000.0,
    }
    assert (landed.rows, landed.duplicates) == (3, 4)
    told = (
        "node_fills_by_block: 3 duplicates disagreed with the row that was known first, "
        "which was kept"
    )
    assert told in landed.notes


def test_rows_that_share_all_but_one_part_of_the_grain_are_all_kept(tmp_path):
    fills = [
        fill(),
        fill(coin="ETH"),
        fill(side="A"),
        fill(tid=8),
        fill(time=fill()["time"] + 1),
    ]
    lines = [block(*fills), block(fill(), user=OTHER)]
    landed = land_hourly_fills(put(tmp_path / "archive", {NOON: lines}), tmp_path / "lake")
    assert (landed.rows, landed.duplicates) == (6, 0)


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


def test_unknown_fields_are_counted_over_files(tmp_path):
    files = {
        NOON + n * HOUR: [
            block(fill(NOON + n * HOUR, mood=1), shard=n),
            block(fill(tid=90 + n)),
        ]
        for n in range(3)
    }
    landed = land_hourly_fills(put(tmp_path / "archive", files), tmp_path / "lake")
    assert landed.unknown_fields == {"block.shard": 3, "mood": 3}


def test_files_that_nobody_documented_are_told_and_not_read(tmp_path):
    root = put(tmp_path / "archive", {NOON: [block(fill())]})
    hourly = tmp_path / "archive/node_fills_by_block/hourly"
    for path in ("20251010/07.lz4", "20251010/24.lz4", "20251399/7.lz4", "20251010/7.lz4.tmp"):
        (hourly / path).parent.mkdir(exist_ok=True)
        (hourly / path).write_bytes(b"?")
    landed = land_hourly_fills(root, tmp_path / "lake")
    assert any("4 files not read, their names are not documented" in n for n in landed.notes)
    assert landed.rows == 1


def test_progress_goes_from_none_to_all(tmp_path):
    root, told = a_day(tmp_path / "archive", range(3)), []
    land_hourly_fills(root, tmp_path / "lake", progress=lambda *step: told.append(step))
    assert [step[1:] for step in told] == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert told[0][0] == "node_fills_by_block/hourly/20251010/0.lz4"


def test_a_range_without_files_is_gaps_and_no_rows(tmp_path):
    root = put(tmp_path / "archive", {NOON: [block(fill())]})
    landed = land_hourly_fills(root, tmp_path / "lake", date(2025, 11, 1), date(2025, 11, 2))
    assert (landed.rows, landed.files, len(landed.gaps)) == (0, [], 24)
    assert landed.gaps[0] == "node_fills_by_block: no file for 2025-11-01 00:00 UTC"


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


def test_the_root_may_be_the_folder_above_the_bucket(tmp_path):
    put(tmp_path / "mirror/hl-mainnet-node-data", {NOON: [block(fill())]})
    assert land_hourly_fills(str(tmp_path / "mirror"), tmp_path / "lake").rows == 1
    with pytest.raises(FileNotFoundError, match="holds neither node_fills_by_block/hourly/"):
        land_hourly_fills(str(tmp_path), tmp_path / "lake")


def test_a_label_names_rows_parts_and_sentences_and_the_source_the_asking(tmp_path):
    root = put(tmp_path / "archive", {NOON: [block(fill())], NOON + 2 * HOUR: []})
    landed = land_hourly_fills(root, tmp_path / "lake", label="mirror")
    assert {row["source"] for row in rows_of(tmp_path / "lake")} == {"mirror"}
    assert [file.name for file in landed.files] == ["mirror-12.parquet"]
    assert landed.gaps == ["mirror: no file for 2025-10-10 13:00 UTC"]
    assert {row["account"] for row in rows_of(tmp_path / "lake")} == {USER}
    assert {ask.source for ask in landed.asked} == {"node_fills_by_block"}


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


def test_a_source_that_is_none_is_an_error_that_names_them_all(tmp_path):
    with pytest.raises(ValueError, match=r"source 'x': must be one of node_fills_by_block, "):
        land_hourly_fills(str(tmp_path), tmp_path / "lake", source="x")


def test_a_fill_far_from_its_file_and_outside_the_range_is_said(tmp_path):
    """It may be a fault of the source; it must not vanish without a word."""
    files = {NOON: [block(fill(NOON, tid=1), fill(NOON - 72 * HOUR, tid=2))]}
    root = put(tmp_path / "archive", files)
    landed = land_hourly_fills(root, tmp_path / "lake", date(2025, 10, 10), date(2025, 10, 11))
    assert landed.rows == 1
    assert any("1 fills lie outside the range and more than an hour" in n for n in landed.notes)
