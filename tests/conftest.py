import os
from pathlib import Path

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
