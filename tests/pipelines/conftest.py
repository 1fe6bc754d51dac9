import os

import pytest

from pipelines.simulator.archive.write import write_archive
from pipelines.simulator.world import WorldSpec


@pytest.fixture(scope="session")
def simulated_books(tmp_path_factory):
    """A day of books as archived, with what was true; only read."""
    folder = tmp_path_factory.mktemp("venue")
    spec = WorldSpec(seed=3, coins=3, accounts=40)
    write_archive(spec, 1, folder / "files", truth=folder / "truth", contexts=False)
    return folder


@pytest.fixture(scope="session")
def prefect(tmp_path_factory):
    """Prefect's own test server, in a folder of its own; it takes ten seconds to start."""
    from prefect.testing.utilities import prefect_test_harness

    os.environ["PREFECT_HOME"] = str(tmp_path_factory.mktemp("prefect"))
    with prefect_test_harness(server_startup_timeout=None):
        yield
