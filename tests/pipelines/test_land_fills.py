import json

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.steps.fills import land_hourly_fills
from tests.effort import tries
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
from tests.pipelines.data_landed_fills import (
    DAY,
    NEXT,
    a_day,
    in_grain_order,
    rows_of,
)
from tests.reference import node_fills as plain


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
@tries(12, 200)
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


def test_progress_goes_from_none_to_all(tmp_path):
    root, told = a_day(tmp_path / "archive", range(3)), []
    land_hourly_fills(root, tmp_path / "lake", progress=lambda *step: told.append(step))
    assert [step[1:] for step in told] == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert told[0][0] == "node_fills_by_block/hourly/20251010/0.lz4"


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
