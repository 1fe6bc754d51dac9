import pytest

from pipelines.simulator.archive.write import write_archive
from pipelines.simulator.serve.answers import answer
from pipelines.sources import reservoir
from pipelines.steps.fills import land_hourly_fills
from tests.simulator.archived import FILLS, SPEC, blocks_of, hour_of
from tests.simulator.serving import small_venue
from warehouse import open_lake


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """A day, whole: files below ``files``, what was true below ``truth``."""
    folder = tmp_path_factory.mktemp("world")
    write_archive(SPEC, 1, folder / "files", truth=folder / "truth", snapshot_every=6)
    return folder


@pytest.fixture(scope="session")
def lake(written, tmp_path_factory):
    lake = tmp_path_factory.mktemp("lake")
    landed = land_hourly_fills(str(written / "files"), lake)
    assert not landed.unknown_fields
    assert not landed.gaps
    assert landed.duplicates == 0
    with open_lake(lake) as con:
        yield con


@pytest.fixture(scope="session")
def events(written):
    """Every event as written, with its account and the hour of its file, ms."""
    rows = []
    for file in sorted((written / "files" / FILLS).rglob("*.lz4"), key=hour_of):
        at = hour_of(file)
        for block in blocks_of(file):
            for account, fill in block["events"]:
                about = {"account": account, "file_ms": int(at.timestamp()) * 1000}
                rows.append(fill | about)
    return rows


@pytest.fixture(scope="session")
def snapshots(written):
    archive = reservoir.reservoir(str(written / "files"))
    return {
        file.snapshot_ts: reservoir.read(archive, file)
        for file in reservoir.snapshot_files(archive)
    }


@pytest.fixture(scope="module")
def venue():
    return small_venue()


@pytest.fixture(scope="module")
def ask(venue):
    """Ask the venue without a server."""
    return lambda kind, **fields: answer(venue, {"type": kind, **fields}).value


@pytest.fixture(scope="module")
def states(venue, ask):
    """The state of every account, by owner."""
    return {user: ask("clearinghouseState", user=user) for user in venue.listing.addresses}
