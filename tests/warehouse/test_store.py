import os
import signal
import subprocess
import sys
import textwrap
import time
from datetime import timedelta

import pytest

from tests.rows import T0, batch, land_snapshot, position
from warehouse import open_lake
from warehouse.contracts.table import ContractError
from warehouse.contracts.tables import POSITIONS
from warehouse.store import land


def bytes_of(lake):
    return {path.relative_to(lake): path.read_bytes() for path in lake.rglob("*.parquet")}


def test_landing_twice_leaves_the_same_bytes(tmp_path):
    rows = [position(holder=holder, size=1.0 + holder) for holder in range(1, 50)]
    land_snapshot(tmp_path, rows)
    first = bytes_of(tmp_path)
    land_snapshot(tmp_path, rows[::-1])
    assert bytes_of(tmp_path) == first
    assert len(first) == 2


def test_a_part_is_named_after_its_batch_and_lies_in_its_day(tmp_path):
    files = land(tmp_path, POSITIONS, batch(POSITIONS, [position()]), "a-batch")
    assert files == [tmp_path / "positions/day=2026-01-02/a-batch.parquet"]


def test_a_batch_over_midnight_makes_a_part_of_each_day(tmp_path):
    rows = [
        position(snapshot_ts=T0 - timedelta(microseconds=1)),
        position(snapshot_ts=T0),
        position(snapshot_ts=T0 + timedelta(days=1, microseconds=-1)),
    ]
    files = land(tmp_path, POSITIONS, batch(POSITIONS, rows), "b")
    assert [file.parent.name for file in files] == ["day=2026-01-01", "day=2026-01-02"]
    with open_lake(tmp_path) as con:
        counted = con.sql("select day, count(*) from positions group by day order by day")
        assert [count for _, count in counted.fetchall()] == [1, 2]


def test_a_broken_row_writes_nothing(tmp_path):
    rows = batch(POSITIONS, [position(), position(holder=2, size=0.0)])
    with pytest.raises(ContractError):
        land(tmp_path, POSITIONS, rows, "b")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("part", ["", "../x", "a/b", "A", ".hidden", "x" * 200, "a b"])
def test_a_part_is_a_plain_name(tmp_path, part):
    with pytest.raises(ValueError, match=r"part .* of positions must match"):
        land(tmp_path, POSITIONS, batch(POSITIONS, [position()]), part)
    assert list(tmp_path.iterdir()) == []


def test_a_draft_that_a_killed_writer_left_is_swept_and_never_read(tmp_path):
    folder = tmp_path / "positions/day=2026-01-02"
    folder.mkdir(parents=True)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    dead, living = (folder / f".b.{pid}.draft" for pid in (gone.pid, os.getppid()))
    for draft in (dead, living):
        draft.write_bytes(b"half a file")
    with open_lake(tmp_path) as con:
        assert con.sql("from positions").fetchall() == []
    land(tmp_path, POSITIONS, batch(POSITIONS, [position()]), "b")
    assert (dead.exists(), living.exists()) == (False, True)


WRITER = """
import sys
from pathlib import Path
from tests.rows import land_snapshot, position
lake = Path(sys.argv[1])
size = 1.0
print("ready", flush=True)
while True:
    size = 3.0 - size
    land_snapshot(lake, [position(holder=n, size=size) for n in range(1, 3000)])
"""


def start_writer(lake):
    writer = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITER), str(lake)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout.readline() == "ready\n"
    return writer


def sizes(lake):
    with open_lake(lake) as con:
        return con.sql("select count(*), min(size), max(size) from positions").fetchall()[0]


def test_a_reader_during_a_write_sees_old_or_new(tmp_path):
    land_snapshot(tmp_path, [position(holder=n) for n in range(1, 3000)])
    writer = start_writer(tmp_path)
    seen = set()
    try:
        until = time.monotonic() + 3
        while time.monotonic() < until:
            count, low, high = sizes(tmp_path)
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
    assert list(tmp_path.rglob("*.draft")) == []
