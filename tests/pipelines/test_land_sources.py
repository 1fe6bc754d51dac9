"""Every archive of fills that is cut by the hour lands by the same verb."""

import json
from datetime import date, datetime, timedelta

import lz4.frame
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.sources.hourly_fills import HOUR, KINDS
from pipelines.steps.fills import land_hourly_fills
from tests.pipelines import data_artemis_fills as artemis
from tests.pipelines.data_fills import NOON, OTHER, USER, block, fill
from tests.pipelines.data_lake import frame, held, origins, parts
from tests.pipelines.data_node_trades import trade

MAY = datetime.fromisoformat("2025-05-26T12:00:00+00:00")
LINES = {
    "node_fills_by_block": (NOON, block(fill())),
    "node_fills": (MAY, json.dumps([USER, fill(MAY)])),
    "node_trades": (MAY, json.dumps(trade(time="2025-05-26T12:00:00.000000000"))),
    "own_node": (NOON, block(fill())),
}


def put(root, source, hour, *lines):
    kind = KINDS[source]
    file = root / f"{kind.prefixes[0]}/{hour:%Y%m%d}/{hour.hour}{kind.endings[0]}"
    file.parent.mkdir(parents=True, exist_ok=True)
    body = "".join(f"{line}\n" for line in lines).encode()
    file.write_bytes(lz4.frame.compress(body) if kind.endings[0] == ".lz4" else body)
    return str(root)


def put_artemis(root):
    folder = root / artemis.FOLDER
    folder.mkdir(parents=True)
    for name, row in (("a", artemis.record()), ("b", artemis.record(2, side="B"))):
        pq.write_table(artemis.table_of(row), folder / f"{name}.parquet")
    return str(root)


@pytest.mark.parametrize("source", LINES)
def test_a_file_is_landed_under_its_sources_name(tmp_path, source):
    hour, line = LINES[source]
    root = put(tmp_path / "archive", source, hour, line)
    landed = land_hourly_fills(root, tmp_path / "lake", source=source)
    assert landed.rows == (2 if source == "node_trades" else 1)
    told = frame(tmp_path / "lake", "select distinct source, known_ts from fills").rows()
    after = timedelta(0) if source == "own_node" else 2 * HOUR + timedelta(minutes=2)
    assert told == [(source, hour + after)]
    assert [(ask.source, ask.hour, ask.outcome) for ask in landed.asked] == [
        (source, 12, "landed")
    ]
    assert origins(tmp_path / "lake", "fills")[0].startswith("12")
    before = held(tmp_path / "lake")
    land_hourly_fills(root, tmp_path / "lake", source=source)
    assert held(tmp_path / "lake") == before


@pytest.mark.parametrize("above", [False, True])
def test_an_hour_of_artemis_is_a_folder(tmp_path, above):
    root = tmp_path / "archive"
    put_artemis(root / "artemis-hyperliquid-data" if above else root)
    (tmp_path / "archive/simulated.json").write_text("{}") if above else None
    landed = land_hourly_fills(str(root), tmp_path / "lake", source="artemis")
    assert (landed.rows, len(landed.asked)) == (2, 1)
    label = "simulated" if above else "artemis"
    assert parts(tmp_path / "lake", "fills") == [f"day=2025-10-10/{label}-21.parquet"]
    known = frame(tmp_path / "lake", "select distinct known_ts from fills").item()
    assert known == artemis.HOUR + timedelta(hours=25)
    assert origins(tmp_path / "lake", "fills") == ["a.parquet", "b.parquet"]


def test_an_archive_of_artemis_without_files_says_how_they_are_named(tmp_path):
    (tmp_path / "raw/node_fills/hourly").mkdir(parents=True)
    named = r"no raw/node_fills/hourly/YYYY/MM/DD/HH/\*\.parquet"
    with pytest.raises(FileNotFoundError, match=named):
        land_hourly_fills(str(tmp_path), tmp_path / "lake", source="artemis")


def test_times_that_were_put_right_are_said_and_not_kept(tmp_path):
    stored = pa.array([artemis.MS], pa.timestamp("ns"))
    table = artemis.replaced(artemis.table_of(artemis.record()), "time", stored)
    folder = tmp_path / "archive" / artemis.FOLDER
    folder.mkdir(parents=True)
    pq.write_table(table, folder / "a.parquet")
    landed = land_hourly_fills(str(tmp_path / "archive"), tmp_path / "lake", source="artemis")
    assert landed.unknown_fields == {"time stored as 1970": 1}
    assert frame(tmp_path / "lake", "from unknown_fields").is_empty()
    assert landed.notes[0].startswith("artemis: no file for")


def test_further_files_of_an_hour_are_told(tmp_path):
    root = put(tmp_path / "data", "own_node", NOON, block(fill()))
    other = tmp_path / "data/node_fills/hourly/20251010/12"
    other.parent.mkdir(parents=True)
    other.write_text(json.dumps([USER, fill(tid=8)]) + "\n")
    landed = land_hourly_fills(root, tmp_path / "lake", source="own_node")
    assert landed.rows == 1
    assert landed.notes == [
        "own_node: 1 files not read, their hours have another: node_fills/hourly/20251010/12"
    ]


def test_fills_of_weeks_that_two_archives_tell_of_are_shown_once(tmp_path):
    """Their trade ids do not match; orders, accounts, times and sizes do."""
    when, lake = "2025-05-26T12:00:00.123456789", tmp_path / "lake"
    at = MAY + timedelta(milliseconds=123)
    both = {"coin": "AAVE", "px": "264.56", "sz": "0.06", "time": int(at.timestamp() * 1000)}
    fills = [
        json.dumps([USER, fill(**both, side="B", oid=11, tid=5)]),
        json.dumps([OTHER, fill(**both, side="A", oid=12, tid=5)]),
        # The same order is filled twice at one price in one block: two fills, not one.
        json.dumps([USER, fill(**both, side="B", oid=11, tid=6)]),
        # Only this archive has it.
        json.dumps([USER, fill(**both | {"coin": "ETH"}, side="B", oid=13, tid=7)]),
    ]
    one = trade(buyer={"user": USER, "oid": 11}, seller={"user": OTHER, "oid": 12}, time=when)
    alone = trade(coin="SOL", time=when)
    put(tmp_path / "archive", "node_fills", MAY, *fills)
    root = put(tmp_path / "archive", "node_trades", MAY, json.dumps(one), json.dumps(alone))
    for source in ("node_trades", "node_fills"):
        land_hourly_fills(root, lake, date(2025, 5, 26), date(2025, 5, 27), source)
    query = "select coin, is_buy, count(*) from fills group by all order by all"
    assert frame(lake, query).rows() == [
        ("AAVE", False, 1),
        ("AAVE", True, 2),
        ("ETH", True, 1),
        ("SOL", False, 1),
        ("SOL", True, 1),
    ]
    versions = frame(lake, "select source, count(*) from fills_versions group by 1 order by 1")
    assert versions.rows() == [("node_fills", 4), ("node_trades", 4)]
