import hashlib
import os
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.effort import asked_of_a_lake
from tests.rows import T0, account, batch, land_snapshot, position
from warehouse import open_lake
from warehouse.contracts.tables import FILLS, POSITIONS
from warehouse.store import Lake, NoLake, Origin, compacted, land, parts_of
from warehouse.store.compacted import pack, unpack
from warehouse.store.compaction import compact
from warehouse.store.ledger import as_parts
from warehouse.store.parts import read_part

NOW = datetime(2100, 1, 1, tzinfo=UTC)  # after whatever the files say they were written
AT_ONCE = {"grace": timedelta(0), "orphan_age": timedelta(0)}
FILE = Origin("file", 1, "1")


def fill(minute, coin="BTC", **others):
    row = {column.name: None for column in FILLS.columns}
    row |= {
        "time_ts": T0 + timedelta(minutes=minute),
        "coin": coin,
        "account": account(1),
        "px": 100.0 + minute,
        "size": 1.0,
        "is_buy": True,
        "start_position": 0.0,
        "trade_id": minute,
        "order_id": minute,
        "is_taker": True,
        "source": "test",
        "known_ts": T0,
    }
    return row | others


def land_fills(lake, hour, px=1.0, origins=(FILE,), source="test"):
    rows = [
        fill(hour * 60 + n, coin, px=px + n, source=source)
        for n in range(5)
        for coin in ("ETH", "BTC", "SOL")
    ]
    land(lake, FILLS, batch(FILLS, rows), f"{source}-{hour:02}", origins)


def land_hours(lake, hours=(0, 1, 2)):
    for hour in hours:
        land_fills(lake, hour)


def shown(lake, table="fills"):
    with open_lake(lake) as con:
        return con.sql(f"from {table} order by all").fetchall()


def files(lake, prefix=""):
    held = Lake.at(lake)
    return {path: held.read(path) for path in held.sizes(prefix) if "_ledger" not in path}


def lines(lake):
    return {(line.part, line.revision): line for line in as_parts(parts_of(Lake.at(lake)))}


def run(lake, **others):
    return compact(lake, NOW, **AT_ONCE | others)


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


def test_a_listed_file_is_never_written_over(tmp_path):
    land_hours(tmp_path)
    written = {path: file_of(tmp_path, path) for path in files(tmp_path)}
    land_fills(tmp_path, 1, px=50.0)
    run(tmp_path, grace=timedelta(0), orphan_age=timedelta(days=10**5))
    land_fills(tmp_path, 2, px=50.0)
    land_fills(tmp_path, 2, px=60.0)
    land_fills(tmp_path, 2, px=50.0)
    assert len(shown(tmp_path)) == 45
    for path, inode in written.items():
        assert not (tmp_path / path).exists() or file_of(tmp_path, path) == inode


def file_of(lake, path):
    return (lake / path).stat().st_ino


def test_a_file_that_is_replaced_stays_for_the_grace(tmp_path):
    land_hours(tmp_path)
    seen = []
    with open_lake(tmp_path) as con:

        def wait(seconds):
            seen.append((seconds, con.sql("select count(*) from fills").fetchall()))

        run(tmp_path, grace=timedelta(seconds=60), wait=wait)
    assert seen == [(60.0, [(45,)])]
    assert len(files(tmp_path)) == 1


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


@pytest.mark.parametrize("body", [None, b"half a file", "cut", "flipped"])
def test_a_damaged_part_is_named_and_its_day_left(tmp_path, body):
    land_hours(tmp_path)
    file = tmp_path / "fills/day=2026-01-02/test-01.parquet"
    damage(file, body)
    done = run(tmp_path)
    word = "missing" if body is None else "damaged"
    assert done.damaged == [f"fills of 2026-01-02: {file} is {word}"]
    assert (done.files, done.removed) == (0, [])
    land_hours(tmp_path)
    assert run(tmp_path).damaged == []
    assert len(shown(tmp_path)) == 45


def damage(file, body):
    whole = file.read_bytes()
    if body is None:
        file.unlink()
    elif body == "cut":
        file.write_bytes(whole[: len(whole) // 2])
    elif body == "flipped":
        file.write_bytes(whole[:40] + bytes([whole[40] ^ 1]) + whole[41:])
    else:
        file.write_bytes(body)


@pytest.mark.parametrize("body", [None, b"half a file", "cut", "flipped"])
def test_landing_again_mends_a_damaged_compacted_file(tmp_path, body):
    land_hours(tmp_path)
    before = shown(tmp_path)
    run(tmp_path)
    (path,) = files(tmp_path)
    damage(tmp_path / path, body)
    land_fills(tmp_path, 1, px=50.0 if body == "flipped" else 1.0)
    # The others are missing, each until it is landed again.
    assert {line.compacted for line in lines(tmp_path).values()} == {False}
    land_hours(tmp_path)
    assert shown(tmp_path) == before
    assert run(tmp_path).files == 1
    assert shown(tmp_path) == before
    assert len(files(tmp_path)) == 1


def test_a_batch_landed_meanwhile_is_not_lost(tmp_path, monkeypatch):
    from warehouse.store import compaction

    land_hours(tmp_path)

    def meanwhile(*args):
        monkeypatch.undo()
        made = pack(*args)
        land_fills(tmp_path, 1, px=50.0)
        land_fills(tmp_path, 7)
        return made

    monkeypatch.setattr(compaction, "pack", meanwhile)
    assert run(tmp_path).files == 0
    expected = shown(tmp_path)
    assert len(expected) == 60
    assert run(tmp_path).parts == 4
    assert shown(tmp_path) == expected


def test_files_of_killed_writers_are_removed_and_those_of_living_ones_stay(tmp_path):
    land_hours(tmp_path)
    old, young = (
        tmp_path / f"fills/day=2026-01-02/{name}.parquet" for name in ("old", "young")
    )
    for file, age in ((old, 7200), (young, 60)):
        file.write_bytes(b"half a file")
        written = NOW.timestamp() - age
        os.utime(file, (written, written))
    done = compact(tmp_path, NOW, grace=timedelta(0))
    assert (old.exists(), young.exists()) == (False, True)
    assert "fills/day=2026-01-02/old.parquet" in done.removed
    assert len(shown(tmp_path)) == 45


def test_a_file_that_is_listed_within_the_grace_stays(tmp_path):
    land_hours(tmp_path)

    def wait(_):
        land_fills(tmp_path, 1, px=50.0)

    run(tmp_path, wait=wait)
    assert len(shown(tmp_path)) == 45


def test_what_an_older_contract_wrote_is_compacted_apart(tmp_path):
    land_hours(tmp_path)
    held = as_parts(parts_of(Lake.at(tmp_path)))
    from dataclasses import replace

    from warehouse.store.ledger import change

    old = replace(held[0], contract=2)
    change(Lake.at(tmp_path), [old.key], lambda _: [old])
    land_hours(tmp_path, (3,))
    assert run(tmp_path).parts == 3
    assert len(files(tmp_path)) == 2


@pytest.mark.parametrize("rows_per_slice", [1, 7, 10**6])
@asked_of_a_lake
@given(
    parts=st.lists(
        st.lists(
            st.tuples(st.integers(0, 30), st.sampled_from(["BTC", "ETH", "ÉTH", "xyz:A"])),
            min_size=1,
            unique=True,
        ),
        min_size=2,
        max_size=5,
    )
)
def test_every_part_is_found_again_in_what_was_packed(tmp_path_factory, rows_per_slice, parts):
    folder = tmp_path_factory.mktemp("packed")
    given_ = {}
    for number, keys in enumerate(parts):
        rows = [fill(minute, coin, source=f"s{number}") for minute, coin in keys]
        given_[f"p{number}"] = FILLS.check(batch(FILLS, rows))
        pq.write_table(given_[f"p{number}"], folder / f"p{number}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compacted, "ROWS_PER_SLICE", rows_per_slice)
        pack(FILLS, [(name, folder / name) for name in given_], folder / "all")
    whole = read_part((folder / "all").read_bytes())
    together = pa.concat_tables(given_.values())
    assert whole.equals(together.sort_by([(name, "ascending") for name in FILLS.grain]))
    for name, rows in given_.items():
        assert unpack(folder / "all", name).equals(rows, check_metadata=True)
    with pytest.raises(pa.ArrowInvalid, match="holds no part 'other'"):
        unpack(folder / "all", "other")


def test_fat_rows_are_merged_few_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(compacted, "BYTES_PER_SLICE", 1)
    given_ = {}
    for number in range(2):
        rows = [fill(minute, coin, source=f"s{number}") for minute in (0, 1) for coin in "ABC"]
        given_[f"p{number}"] = FILLS.check(batch(FILLS, rows))
        pq.write_table(given_[f"p{number}"], tmp_path / f"p{number}", row_group_size=4)
    pack(FILLS, [(name, tmp_path / name) for name in given_], tmp_path / "all")
    assert pq.ParquetFile(tmp_path / "all").metadata.num_row_groups == len("ABC")
    for name, rows in given_.items():
        assert unpack(tmp_path / "all", name).equals(rows)


def test_a_part_larger_than_a_row_group_is_found_again(tmp_path, monkeypatch):
    monkeypatch.setattr(compacted, "ROWS_PER_GROUP", 8192)
    rng = np.random.default_rng(7)
    packed, held = [], {}
    for hour in range(3):
        rows = [
            position(holder=n, size=float(size), snapshot_ts=T0 + timedelta(hours=hour % 2))
            | {"source": f"s{hour}"}
            for n, size in enumerate(rng.uniform(1, 2, 9_000), 1)
        ]
        held[f"p{hour}"] = POSITIONS.check(batch(POSITIONS, rows))
        pq.write_table(held[f"p{hour}"], tmp_path / f"p{hour}", row_group_size=8192)
        packed.append((f"p{hour}", tmp_path / f"p{hour}"))
    pack(POSITIONS, packed, tmp_path / "all")
    assert pq.ParquetFile(tmp_path / "all").metadata.num_row_groups == 4
    for name, rows in held.items():
        assert unpack(tmp_path / "all", name).equals(rows)


READER = """
import select
import sys
from warehouse import open_lake
print("ready", flush=True)
counts, query = set(), "select count(*), count(distinct trade_id) from fills"
while not select.select([sys.stdin], [], [], 0)[0]:
    with open_lake(sys.argv[1]) as con:
        counts |= set(con.sql(query).fetchall())
print(counts)
"""


def test_a_reader_beside_a_compaction_counts_right_always(tmp_path):
    land_hours(tmp_path)
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdout.readline() == "ready\n"
    until = time.monotonic() + 3
    px = 1.0
    while time.monotonic() < until:
        compact(tmp_path, NOW, grace=timedelta(seconds=0.5))
        px += 1.0
        land_fills(tmp_path, 1, px=px)  # takes the day apart
    told, _ = reader.communicate("stop\n")
    assert reader.returncode == 0
    assert told == "{(45, 15)}\n"


def test_the_verb_says_what_it_did(tmp_path):
    land_hours(tmp_path)
    command = [sys.executable, "-m", "undertow", "compact", "--lake", str(tmp_path), "--grace"]
    done = subprocess.run([*command, "0s", "--json"], capture_output=True, text=True)
    if datetime.now(UTC) > T0 + timedelta(days=1):
        assert '"files": 1, "parts": 3, "rows": 45' in done.stdout
    odd = subprocess.run([*command, "soon"], capture_output=True, text=True)
    assert (odd.returncode, odd.stderr) == (
        2,
        "undertow: --grace 'soon' must be a number and its unit, as 60s, 5m or 1h\n",
    )
    land_hours(tmp_path, (4,))
    (tmp_path / "fills/day=2026-01-02/test-04.parquet").write_bytes(b"half")
    odd = subprocess.run([*command, "0s"], capture_output=True, text=True)
    assert odd.returncode == 2
    assert odd.stderr.count("\n") == 1
    assert "test-04.parquet is damaged; 1 days were left as they are" in odd.stderr
