import os
import signal
import subprocess
import sys
import time

import pytest

from pipelines.simulator.archive.write import write_archive
from pipelines.simulator.world import WorldSpec


@pytest.mark.slow
def test_a_cron_ticks(tmp_path):
    """Of yesterday the archive holds margin rules only; that a part lands shows the tick."""
    spec = WorldSpec(coins=4, accounts=60)
    write_archive(spec, 1, tmp_path / "archive", books=False, contexts=False)
    lake = tmp_path / "lake"
    roots = (f"--root=market_files={tmp_path / 'archive'}", f"--lake={lake}")
    settings = {"PREFECT_HOME": str(tmp_path / "prefect"), "NO_PROXY": "127.0.0.1,localhost"}
    running = subprocess.Popen(
        [sys.executable, "-m", "undertow", "schedule", *roots, "--nightly", "* * * * *"],
        env=os.environ | settings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 180
        while time.monotonic() < end and not list(lake.glob("instruments/*/*.parquet")):
            assert running.poll() is None
            time.sleep(1)
        assert list(lake.glob("instruments/*/*.parquet"))
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(timeout=60)
