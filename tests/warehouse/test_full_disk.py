"""A disk that runs full: one line that names it, a lake that reads, a repeat that ends."""

import subprocess
import sys

import pytest

from pipelines.simulator.archive.write import write_archive
from pipelines.simulator.world import WorldSpec
from tests.pipelines.data_fills import tree

pytestmark = pytest.mark.slow


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 320 KiB that can be made larger."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=320k", "tmpfs", str(disk)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("no mount(8) on this machine")
    if done.returncode:
        pytest.skip(f"no disk of its own may be mounted here: {done.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def undertow(*args):
    command = [sys.executable, "-m", "undertow", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True)


def test_a_full_disk_is_one_line_and_a_repeat_completes(small_disk, tmp_path):
    archive, lake = tmp_path / "archive", small_disk / "lake"
    spec = WorldSpec(coins=4, accounts=100)
    write_archive(spec, 1, archive, snapshot_every=2, books=False, contexts=False)

    def ingest(kind, where):
        return undertow("ingest", kind, "--root", archive, "--lake", where)

    assert ingest("market", lake).returncode == 0
    before = tree(lake)
    told = ingest("positions", lake)
    assert (told.returncode, told.stderr) == (
        2,
        f"undertow: lake {lake}: the disk is full; what was being written does not count: "
        "make room, then run it again\n",
    )
    assert tree(lake) == before
    assert "candles" in undertow("sql", "from parts", "--lake", lake, "--json").stdout
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    assert ingest("positions", lake).returncode == 0
    for kind in ("market", "positions"):
        assert ingest(kind, tmp_path / "other").returncode == 0
    assert tree(lake) == tree(tmp_path / "other")
