"""What is damaged, killed, read or landed while a day is compacted costs no row."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.rows import T0
from tests.warehouse.hourly_fills import NOW, files, land_fills, land_hours, lines, run, shown
from warehouse import open_lake
from warehouse.store import compaction
from warehouse.store.compacted import pack
from warehouse.store.compaction import compact


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
