import json
from datetime import UTC, date, datetime

import lz4.frame
import orjson
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.simulator.archive.write import write_archive
from pipelines.sources.unknown import Unknown
from pipelines.steps.contexts import land_contexts
from pipelines.steps.fills import land_hourly_fills
from pipelines.steps.positions import land_reservoir
from pipelines.steps.reservoir_fills import land_reservoir_fills
from pipelines.steps.unknown_rows import as_json, fields_in
from tests.pipelines import data_artemis_fills as artemis
from tests.pipelines import data_reservoir as snapshots
from tests.pipelines import data_reservoir_fills as reservoir
from tests.pipelines.data_asset_ctxs import HEADER
from tests.pipelines.data_fills import HOUR, NOON, OTHER, USER, block, fill, put, tree
from tests.pipelines.data_lake import frame, held
from tests.pipelines.data_node_trades import trade
from tests.simulator.archived import SPEC

DAY, NEXT = date(2025, 10, 10), date(2025, 10, 11)
KEPT = "select origin, record, fields from unknown_fields order by time_ts, origin, record"


def kept(lake):
    """Return what is kept: file, number, and the values as they were."""
    rows = frame(lake, KEPT).rows()
    return [(origin, record, json.loads(fields)) for origin, record, fields in rows]


def news_of(landed):
    return [note for note in landed.notes if note.startswith("new field")]


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """An archive of a day in whose fills a field begins that nobody documented."""
    folder = tmp_path_factory.mktemp("world")
    faults = ("new-field",)
    write_archive(SPEC, 1, folder, books=False, contexts=False, market=False, faults=faults)
    return folder


def test_what_a_simulated_archive_adds_is_kept_as_it_was(archive, tmp_path):
    landed = land_hourly_fills(str(archive), tmp_path / "lake")
    files = sorted(archive.glob("*/node_fills_by_block/hourly/*/*.lz4"))
    wanted = []
    for file in files:
        events = [
            event
            for line in lz4.frame.decompress(file.read_bytes()).splitlines()
            for event in orjson.loads(line)["events"]
        ]
        path = file.relative_to(archive / "hl-mainnet-node-data").as_posix()
        wanted += [
            (path, number, {"feeTier": each["feeTier"]})
            for number, (_, each) in enumerate(events)
            if "feeTier" in each
        ]
    assert len(wanted) == landed.unknown_fields["feeTier"] > 0
    assert sorted(kept(tmp_path / "lake"), key=str) == sorted(wanted, key=str)
    beside = frame(
        tmp_path / "lake",
        "select count(*) from unknown_fields u where not exists (select 1 from fills f where "
        "f.time_ts = u.time_ts and f.source = u.source and f.known_ts = u.known_ts)",
    )
    assert beside.item() == 0
    assert news_of(landed) == [
        f"new field feeTier of simulated ({len(wanted)} rows): kept in unknown_fields"
    ]


def test_a_second_landing_says_nothing_new_and_leaves_the_same_bytes(archive, tmp_path):
    first = land_hourly_fills(str(archive), tmp_path / "lake")
    before = held(tmp_path / "lake")
    again = land_hourly_fills(str(archive), tmp_path / "lake")
    assert (news_of(again), again.unknown_fields) == ([], first.unknown_fields)
    assert held(tmp_path / "lake") == before


def test_a_field_is_new_once_in_a_lake_and_once_in_each_source(tmp_path):
    lake = tmp_path / "lake"
    files = {
        NOON: [block(fill(mood=1))],
        NOON + 24 * HOUR: [block(fill(NOON + 24 * HOUR, mood=2))],
    }
    root = put(tmp_path / "archive", files)
    said = [
        news_of(land_hourly_fills(root, lake, since, until, label=label))
        for since, until, label in (
            (DAY, NEXT, None),
            (NEXT, date(2025, 10, 12), None),
            (DAY, NEXT, "mirror"),
        )
    ]
    assert said == [
        ["new field mood of node_fills_by_block (1 rows): kept in unknown_fields"],
        [],
        ["new field mood of mirror (1 rows): kept in unknown_fields"],
    ]


def test_every_depth_of_a_block_is_kept_with_the_event_it_came_with(tmp_path):
    forced = {"method": "market", "liquidatedUser": USER, "markPx": "1.5", "depth": {"a": [1]}}
    lines = [
        block(fill(tid=1), fill(tid=2, mood="grim", liquidation=forced), shard=3),
        block(shard=9),
        block(fill(tid=3), fill(tid=4, mood=None)),
    ]
    landed = land_hourly_fills(put(tmp_path / "archive", {NOON: lines}), tmp_path / "lake")
    path = "node_fills_by_block/hourly/20251010/12.lz4"
    assert kept(tmp_path / "lake") == [
        (path, 0, {"block.shard": 3}),
        (path, 1, {"liquidation.depth": {"a": [1]}, "mood": "grim"}),
        (path, 3, {"mood": None}),
    ]
    # A block without events became no row.
    assert landed.unknown_fields == {"block.shard": 2, "liquidation.depth": 1, "mood": 2}


def test_only_what_is_landed_is_kept_and_by_its_own_hour(tmp_path):
    late, outside = fill(NOON - HOUR, tid=1, mood=1), fill(NOON - 13 * HOUR, tid=2, mood=2)
    root = put(tmp_path / "archive", {NOON: [block(late, outside)]})
    land_hourly_fills(root, tmp_path / "lake", DAY, NEXT)
    assert [fields for _, _, fields in kept(tmp_path / "lake")] == [{"mood": 1}]
    assert {path for path in tree(tmp_path / "lake") if "unknown" in path} == {
        "unknown_fields/day=2025-10-10/node_fills_by_block-11.parquet"
    }


def test_a_fill_that_comes_again_keeps_what_each_file_said_of_it(tmp_path):
    files = {NOON: [block(fill(mood=1))], NOON + HOUR: [block(fill(mood=1))]}
    landed = land_hourly_fills(put(tmp_path / "archive", files), tmp_path / "lake")
    assert (landed.rows, landed.duplicates) == (1, 1)
    assert [(origin[-6:], record) for origin, record, _ in kept(tmp_path / "lake")] == [
        ("12.lz4", 0),
        ("13.lz4", 0),
    ]


def test_a_mirror_with_fewer_files_keeps_what_was_kept(tmp_path):
    files = {NOON + n * HOUR: [block(fill(tid=n, mood=n))] for n in range(2)}
    land_hourly_fills(put(tmp_path / "all", files), tmp_path / "lake")
    before = tree(tmp_path / "lake")
    del files[NOON + HOUR]
    land_hourly_fills(put(tmp_path / "some", files), tmp_path / "lake")
    assert tree(tmp_path / "lake") == before


def test_both_sides_of_a_trade_are_kept_apart(tmp_path):
    lines = [
        trade(),
        trade(buyer={"mood": 1}, coin="ETH", shard=7),
        trade(buyer={"mood": 2}, seller={"mood": 3}, coin="SOL"),
    ]
    file = tmp_path / "archive/node_trades/hourly/20250525/13.lz4"
    file.parent.mkdir(parents=True)
    file.write_bytes(lz4.frame.compress("\n".join(map(json.dumps, lines)).encode()))
    landed = land_hourly_fills(
        str(tmp_path / "archive"), tmp_path / "lake", source="node_trades"
    )
    assert landed.unknown_fields == {"shard": 1, "side_info.mood": 3}
    path = "node_trades/hourly/20250525/13.lz4"
    assert kept(tmp_path / "lake") == [
        (path, 1, {"shard": 7, "side_info.mood": {"buyer": 1}}),
        (path, 2, {"side_info.mood": {"buyer": 2, "seller": 3}}),
    ]


def test_an_own_nodes_fields_are_kept_by_the_bytes_they_came_in(tmp_path):
    file = tmp_path / "data/node_fills/hourly/20251010/12"
    file.parent.mkdir(parents=True)
    line = json.dumps([USER, fill(mood="grim")]) + "\n"
    file.write_text(line)
    for _ in range(2):
        land_hourly_fills(str(tmp_path / "data"), tmp_path / "lake", source="own_node")
    with file.open("a") as more:
        more.write(json.dumps([OTHER, fill(mood="gay")]) + "\n")
    land_hourly_fills(str(tmp_path / "data"), tmp_path / "lake", source="own_node")
    path = "node_fills/hourly/20251010/12"
    assert kept(tmp_path / "lake") == [
        (path, 0, {"mood": "grim"}),
        (f"{path} from byte {len(line)}", 0, {"mood": "gay"}),
    ]


def test_columns_of_artemis_and_fields_of_its_liquidations_are_kept(tmp_path):
    table = artemis.table_of(
        artemis.record(mood=None),
        artemis.record(2, side="B", tid=10, mood="grim", liquidation='{"depth": 7}'),
        liquidation=pa.string(),
    )
    folder = tmp_path / "archive/raw/node_fills/hourly" / f"{artemis.HOUR:%Y/%m/%d/%H}"
    folder.mkdir(parents=True)
    pq.write_table(table.slice(0, 1), folder / "a.parquet")
    pq.write_table(table, folder / "b.parquet")
    landed = land_hourly_fills(str(tmp_path / "archive"), tmp_path / "lake", source="artemis")
    assert landed.unknown_fields == {"liquidation.depth": 1, "mood": 3}
    [(_, record, fields)] = kept(tmp_path / "lake")
    assert (record, fields) == (2, {"liquidation.depth": 7, "mood": "grim"})


def test_columns_of_reservoirs_fills_are_kept_in_their_types(tmp_path):
    rows = [reservoir.record(n, novelty=value) for n, value in enumerate([None, 7, 8], 1)]
    rows[2]["asset_class"] = "spot"
    reservoir.write(tmp_path / "archive", "2025-10-10", *rows)
    for often in (1, 0):
        landed = land_reservoir_fills(str(tmp_path / "archive"), tmp_path / "lake")
        assert (landed.rows, landed.unknown_fields) == (2, {"novelty": 3})
        assert len(news_of(landed)) == often
    [(origin, record, fields)] = kept(tmp_path / "lake")
    assert (origin.endswith("/fills.parquet"), record, fields) == (True, 1, {"novelty": 7})


def test_columns_of_positions_are_kept(tmp_path):
    rows = [snapshots.record(n, novelty=value) for n, value in enumerate([None, 1.5], 1)]
    snapshots.write(tmp_path / "archive", *rows)
    for often in (1, 0):
        positions, _ = land_reservoir(str(tmp_path / "archive"), tmp_path / "lake")
        assert positions.unknown_fields == {"novelty": 2}
        assert len(news_of(positions)) == often
    [(_, record, fields)] = kept(tmp_path / "lake")
    assert (record, fields) == (1, {"novelty": 1.5})
    (table,) = frame(tmp_path / "lake", "select table_name from unknown_fields").row(0)
    assert table == "positions"


def test_columns_of_contexts_are_kept_as_text(tmp_path):
    row = "2025-10-10T00:0{}:00Z,SOL,-0.0003,1000,150.2,1333.5,,125.85,125.5,125.45,,,{}"
    lines = [f"{HEADER},novelty", row.format(1, ""), row.format(2, "0.10")]
    file = tmp_path / "archive/asset_ctxs/20251010.csv.lz4"
    file.parent.mkdir(parents=True)
    file.write_bytes(lz4.frame.compress("\n".join(lines).encode()))
    landed = land_contexts(str(tmp_path / "archive"), tmp_path / "lake")
    assert (landed.rows, len(news_of(landed))) == (2, 1)
    [(_, record, fields)] = kept(tmp_path / "lake")
    assert (record, fields) == (1, {"novelty": "0.10"})


def test_values_that_json_has_no_word_for_are_kept_as_text():
    deep: list = []
    for _ in range(400):
        deep = [deep]
    when = datetime(2025, 10, 10, tzinfo=UTC)
    given = {"b": b"\0", "deep": deep, "large": 2**80, "odd": "\ud800", "when": when}
    told = json.loads(as_json(given))
    assert told.pop("deep") == "list that cannot be written"
    assert told == {
        "b": "b'\\x00'",
        "large": 2**80,
        "odd": "\\ud800",
        "when": "2025-10-10T00:00:00+00:00",
    }


def test_a_column_that_python_cannot_hold_stops_nothing():
    unknown = Unknown()
    far = pa.array([2**62, None], pa.timestamp("s"))
    unknown.keep_columns({"far": far}, [5, 6])
    assert dict(unknown) == {"far": 2}
    assert unknown.kept[5].fields == {"far": "not readable"}


def test_fields_are_counted_by_row():
    texts = pl.Series(['{"a":1}', '{"a":2}', '{"a":1}', '{"b":null}']).to_arrow()
    assert fields_in(pa.chunked_array([texts.cast(pa.string())])) == {"a": 3, "b": 1}
