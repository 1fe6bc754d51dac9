import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import settings

os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")

# A first call compiles its kernel, which no deadline survives.  CI repeats the same examples.
settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")

REAL = Path(__file__).parents[2] / "shared" / "real"


@pytest.fixture(scope="session")
def real():
    """Folder of real rows; they carry no licence and are not part of the repository."""
    if not REAL.is_dir():
        pytest.skip(f"no real rows at {REAL}")
    return REAL


class Demo(NamedTuple):
    """What `undertow demo` left behind."""

    folder: Path
    lake: Path
    report: Path
    said: str


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """Run `undertow demo` once, as a user does, in a folder of its own.

    Tests that use it are marked ``xdist_group("demo")``, so that one worker runs it once.
    """
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "undertow", "demo"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lake = folder / "data/demo/lake"
    return Demo(folder, lake, folder / "data/demo/report.html", done.stdout + done.stderr)
