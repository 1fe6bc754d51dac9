import os
from datetime import UTC, date, datetime

import lz4.frame
import polars as pl
import pytest

from pipelines.simulator.archive.write import write_archive
from pipelines.simulator.world import WorldSpec
from pipelines.sources.errors import SourceError
from pipelines.steps.contexts import land_contexts
from tests.pipelines.data_lake import frame, held, origins, parts

FIRST, SECOND = date(2025, 11, 13), date(2025, 11, 15)
HEADER = (
    "time,coin,funding,open_interest,prev_day_px,day_ntl_vlm,premium,oracle_px,mark_px,mid_px,"
    "impact_bid_px,impact_ask_px"
)


def line(time, coin="SOL", mark=125.5):
    return f"{time},{coin},-0.0003,1000,150.2,1333.5,,125.85,{mark},125.45,,"


def put(root, day, *lines, header=HEADER):
    file = root / f"hyperliquid-archive/asset_ctxs/{day:%Y%m%d}.csv.lz4"
    file.parent.mkdir(parents=True, exist_ok=True)
    body = "".join(f"{each}\n" for each in (header, *lines))
    file.write_bytes(lz4.frame.compress(body.encode()))
    return str(root)


@pytest.fixture
def root(tmp_path):
    for day in (FIRST, SECOND):
        put(tmp_path / "archive", day, line(f"{day}T00:01:00Z"), line(f"{day}T00:02:00Z"))
    return str(tmp_path / "archive")


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("venue")
    spec = WorldSpec(seed=3, coins=3, accounts=40)
    write_archive(spec, 2, folder / "files", truth=folder / "truth", books=False)
    return folder


def test_a_simulated_archive_lands_as_it_was_true(simulated, tmp_path):
    landed = land_contexts(str(simulated / "files"), tmp_path)
    assert not landed.gaps
    assert not landed.notes
    assert not landed.unknown_fields
    rows = frame(tmp_path, "from asset_contexts")
    assert rows.height == landed.rows > 8_000
    assert set(rows["source"]) == {"simulated"}
    truth = pl.read_parquet(simulated / "truth/minutes.parquet").filter("listed")
    both = rows.join(
        truth, left_on=["coin", "context_ts"], right_on=["coin", "ts"], suffix="_true"
    )
    # The end's own instant is in no file.
    assert both.height == rows.height == truth.height - 3
    for name in ("mark_px", "oracle_px", "open_interest"):
        apart = (both[name] - both[f"{name}_true"]).abs() / both[f"{name}_true"]
        assert apart.max() < 1e-9, name


def test_a_day_is_a_part_that_knows_its_file(root, tmp_path):
    landed = land_contexts(root, tmp_path / "lake")
    assert parts(tmp_path / "lake", "asset_contexts") == [
        "day=2025-11-13/asset_ctxs.parquet",
        "day=2025-11-15/asset_ctxs.parquet",
    ]
    assert origins(tmp_path / "lake", "asset_contexts") == [
        "20251113.csv.lz4",
        "20251115.csv.lz4",
    ]
    assert (landed.rows, len(landed.files)) == (4, 2)


def test_a_day_without_a_file_is_absent_and_a_gap(root, tmp_path):
    landed = land_contexts(root, tmp_path / "lake", FIRST, date(2025, 11, 17))
    assert landed.gaps == [
        "asset_ctxs: no file of 2025-11-14",
        "asset_ctxs: no file of 2025-11-16",
    ]
    assert {ask.day.day: ask.outcome for ask in landed.asked} == {
        13: "landed",
        14: "absent",
        15: "landed",
        16: "absent",
    }
    assert {(ask.table_name, ask.source, ask.hour) for ask in landed.asked} == {
        ("asset_contexts", "asset_ctxs", -1)
    }


def test_landing_twice_leaves_the_same_bytes(root, tmp_path):
    lake = tmp_path / "lake"
    land_contexts(root, lake)
    before = held(lake)
    land_contexts(root, lake)
    assert held(lake) == before
    assert any(path.endswith("asset_ctxs.parquet") for path in before)


def test_a_file_that_changed_is_a_correction(root, tmp_path):
    lake = tmp_path / "lake"
    land_contexts(root, lake)
    put(tmp_path / "archive", FIRST, line(f"{FIRST}T00:01:00Z", mark=99.0))
    land_contexts(root, lake)
    assert "day=2025-11-13/asset_ctxs~2.parquet" in parts(lake, "asset_contexts")
    marks = frame(lake, f"select mark_px from asset_contexts where day = '{FIRST}'")
    assert marks["mark_px"].to_list() == [99.0]


def test_what_comes_twice_is_landed_once_and_strays_are_said(tmp_path):
    noon = f"{FIRST}T12:00:00Z"
    root = put(
        tmp_path / "archive",
        FIRST,
        line(noon, mark=1.0),
        line(noon, mark=1.0),
        line(noon, mark=2.0),
        line("2025-11-14T00:00:00Z"),
    )
    landed = land_contexts(root, tmp_path / "lake")
    rows = frame(tmp_path / "lake", "from asset_contexts")
    assert rows["mark_px"].to_list() == [1.0]
    assert rows["context_ts"].to_list() == [datetime(2025, 11, 13, 12, tzinfo=UTC)]
    assert landed.duplicates == 2
    assert landed.notes == [
        "asset_ctxs/20251113.csv.lz4: 1 readings of other days were not landed",
        "asset_ctxs/20251113.csv.lz4: 1 readings disagreed with an earlier one of the same "
        "moment, which was kept",
    ]


def test_unknown_fields_are_kept_and_said_once(tmp_path):
    lines = [line(f"{FIRST}T00:01:00Z") + ",7", line("2025-11-14T00:00:00Z") + ",8"]
    root = put(tmp_path / "archive", FIRST, *lines, header=f"{HEADER},mood")
    lake = tmp_path / "lake"
    landed = land_contexts(root, lake)
    assert landed.unknown_fields == {"mood": 2}
    kept = frame(lake, "select record, table_name, source, fields from unknown_fields").rows()
    assert kept == [(0, "asset_contexts", "asset_ctxs", '{"mood":"7"}')]
    assert "new field mood of asset_ctxs (1 rows): kept in unknown_fields" in landed.notes
    before = held(lake)
    assert not [note for note in land_contexts(root, lake).notes if note.startswith("new")]
    assert held(lake) == before


def test_files_with_odd_names_are_said(root, tmp_path):
    (tmp_path / "archive/hyperliquid-archive/asset_ctxs/notes.txt").touch()
    assert land_contexts(root, tmp_path / "lake").notes == [
        "asset_ctxs: 1 files not read, their names are not documented: asset_ctxs/notes.txt"
    ]


def test_a_bad_day_leaves_nothing_and_the_days_before_it_stay(root, tmp_path):
    put(tmp_path / "archive", SECOND, line(f"{SECOND}T00:01:00Z", mark=-1))
    with pytest.raises(SourceError, match=r"20251115.csv.lz4 line 2: field mark_px"):
        land_contexts(root, tmp_path / "lake")
    assert parts(tmp_path / "lake", "asset_contexts") == ["day=2025-11-13/asset_ctxs.parquet"]


def test_a_range_with_nothing_in_it_is_refused_or_all_gaps(root, tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"no asset_ctxs/YYYYMMDD\.csv\.lz4 from 2026-01-01"
    ):
        land_contexts(root, tmp_path / "lake", date(2026, 1, 1))
    with pytest.raises(ValueError, match="must be before until"):
        land_contexts(root, tmp_path / "lake", SECOND, FIRST)
    landed = land_contexts(root, tmp_path / "lake", date(2026, 1, 1), date(2026, 1, 2))
    assert (landed.files, len(landed.gaps)) == ([], 1)
    assert not os.path.exists(tmp_path / "lake")
