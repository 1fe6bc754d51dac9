import hashlib
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pyarrow.parquet as pq
import pytest

from tests.rows import T0, batch, land_snapshot, position
from warehouse import open_lake
from warehouse.contracts.table import ContractError
from warehouse.contracts.tables import POSITIONS
from warehouse.store import Lake, land


def bytes_of(lake):
    held = Lake.at(lake)
    return {path: held.read(path) for path in held.sizes("")}


def test_landing_twice_leaves_the_same_bytes(lake):
    rows = [position(holder=holder, size=1.0 + holder) for holder in range(1, 50)]
    land_snapshot(lake, rows)
    first = bytes_of(lake)
    land_snapshot(lake, rows[::-1])
    assert bytes_of(lake) == first
    parquet = [path for path in first if path.endswith(".parquet")]
    assert len(parquet) == 4  # positions, snapshots, the ledger, coins


def test_a_part_is_named_after_its_batch_and_lies_in_its_day(lake):
    files = land(lake, POSITIONS, batch(POSITIONS, [position()]), "a-batch")
    assert [str(file) for file in files] == [f"{lake}/positions/day=2026-01-02/a-batch.parquet"]


def test_a_batch_over_midnight_makes_a_part_of_each_day(lake):
    rows = [
        position(snapshot_ts=T0 - timedelta(microseconds=1)),
        position(snapshot_ts=T0),
        position(snapshot_ts=T0 + timedelta(days=1, microseconds=-1)),
    ]
    files = land(lake, POSITIONS, batch(POSITIONS, rows), "b")
    days = [str(file).split("/")[-2] for file in files]
    assert days == ["day=2026-01-01", "day=2026-01-02"]
    with open_lake(lake) as con:
        counted = con.sql("select day, count(*) from positions group by day order by day")
        assert [count for _, count in counted.fetchall()] == [1, 2]


def test_a_broken_row_writes_nothing(lake):
    rows = batch(POSITIONS, [position(), position(holder=2, size=0.0)])
    with pytest.raises(ContractError):
        land(lake, POSITIONS, rows, "b")
    assert bytes_of(lake) == {}


@pytest.mark.parametrize("part", ["", "../x", "a/b", "A", ".hidden", "x" * 200, "a b", "a~2"])
def test_a_part_is_a_plain_name(tmp_path, part):
    with pytest.raises(ValueError, match=r"part .* of positions must match"):
        land(tmp_path, POSITIONS, batch(POSITIONS, [position()]), part)
    assert list(tmp_path.iterdir()) == []


def test_a_stage_that_a_killed_writer_left_is_swept_and_never_read(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    dead, living = (tmp_path / f".landing-{pid}-x" for pid in (gone.pid, os.getppid()))
    for stage in (dead, living):
        (stage / "positions/day=2026-01-02").mkdir(parents=True)
        (stage / "positions/day=2026-01-02/b.parquet").write_bytes(b"half a file")
    with open_lake(tmp_path) as con:
        assert con.sql("from positions").fetchall() == []
    land(tmp_path, POSITIONS, batch(POSITIONS, [position()]), "b")
    assert (dead.exists(), living.exists()) == (False, True)


WRITER = """
import sys
from tests.rows import land_snapshot, position
size = 1.0
print("ready", flush=True)
while True:
    size = 3.0 - size
    land_snapshot(sys.argv[1], [position(holder=n, size=size) for n in range(1, 3000)])
"""


def start_writer(lake):
    return start(WRITER, lake)


def start(code, *args):
    writer = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, args)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout.readline() == "ready\n"
    return writer


def sizes(lake):
    with open_lake(lake) as con:
        return con.sql("select count(*), min(size), max(size) from positions").fetchall()[0]


def test_a_reader_during_a_write_sees_old_or_new(lake):
    land_snapshot(lake, [position(holder=n) for n in range(1, 3000)])
    writer = start_writer(lake)
    seen = set()
    try:
        least, most = time.monotonic() + 3, time.monotonic() + 60
        while time.monotonic() < least or (len(seen) < 2 and time.monotonic() < most):
            count, low, high = sizes(lake)
            assert (count, low) == (2999, high)
            seen.add(low)
    finally:
        writer.kill()
        writer.communicate()
    assert seen == {1.0, 2.0}


@pytest.mark.parametrize("after", [0.01, 0.05, 0.11, 0.23])
def test_a_killed_write_leaves_a_readable_lake(tmp_path, after):
    land_snapshot(tmp_path, [position(holder=n) for n in range(1, 3000)])
    writer = start_writer(tmp_path)
    time.sleep(after)
    writer.send_signal(signal.SIGKILL)
    writer.communicate()
    count, low, high = sizes(tmp_path)
    assert (count, low) == (2999, high)
    land_snapshot(tmp_path, [position(holder=n, size=5.0) for n in range(1, 3000)])
    assert sizes(tmp_path) == (2999, 5.0, 5.0)
    assert [path for path in tmp_path.rglob(".*") if path.name != ".lock"] == []


LANDER = """
import sys
from datetime import timedelta
from tests.rows import T0, land_snapshot, position
print("ready", flush=True)
for n in range(8):
    at = T0 + timedelta(hours=n, minutes=int(sys.argv[2]))
    land_snapshot(sys.argv[1], [position(holder=n + 1)], at)
"""


def test_two_writers_at_once_lose_nothing(lake):
    writers = [start(LANDER, lake, minute) for minute in range(2)]
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0
    with open_lake(lake) as con:
        for table in ("positions", "snapshots"):
            counted = f"select count(*), count(distinct snapshot_ts) from {table}"
            assert con.sql(counted).fetchall() == [(16, 16)]
        assert con.sql("select count(*) from parts").fetchall() == [(32,)]


@pytest.mark.parametrize("damage", ["missing", "cut", "not parquet"])
def test_a_damaged_part_is_named_and_landing_it_again_mends_it(tmp_path, damage):
    rows = [position(holder=n) for n in range(1, 200)]
    land_snapshot(tmp_path, rows)
    file = tmp_path / "positions/day=2026-01-02/test-20260102t000000000000.parquet"
    whole = file.read_bytes()
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(whole[:500] if damage == "cut" else b"x" * 500)
    command = [sys.executable, "-m", "undertow", "sql", "select sum(size) from positions"]
    done = subprocess.run([*command, "--lake", tmp_path], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert str(file) in done.stderr
    land_snapshot(tmp_path, rows)
    assert file.read_bytes() == whole
    assert sizes(tmp_path) == (199, 1.0, 1.0)


def test_a_part_with_other_bytes_than_listed_is_entered_anew(tmp_path):
    land_snapshot(tmp_path, [position()])
    (file,) = tmp_path.glob("positions/*/*.parquet")
    pq.write_table(pq.ParquetFile(file).read(), file, compression="none")
    land_snapshot(tmp_path, [position()])
    with open_lake(tmp_path) as con:
        (hash_,) = con.sql("select hash from parts where table_name = 'positions'").fetchall()
    assert hash_ == (hashlib.sha256(file.read_bytes()).hexdigest(),)
