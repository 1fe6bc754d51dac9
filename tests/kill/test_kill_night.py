"""A night that is killed, whatever it was doing, is mended by the next run of it."""

from itertools import count

import pytest

from pipelines.simulator.archive.write import write_archive
from pipelines.simulator.serve.venue import open_venue
from pipelines.simulator.world import Simulation, WorldSpec
from tests.kill.case import Case, Folders
from tests.simulator.serving import served

pytestmark = pytest.mark.slow
SPEC = WorldSpec(coins=2, accounts=20)


@pytest.fixture(scope="module")
def night(server, tmp_path_factory):
    archive = tmp_path_factory.mktemp("archive")
    write_archive(SPEC, 1, archive, snapshot_every=8, books=False)
    venue = open_venue(Simulation(SPEC), 26 * 60)
    minutes = count(0, 60)  # a minute a look: the venue's rate limit is never met
    with served(venue, clock=lambda: next(minutes)) as (url, _):
        about = {"archive": str(archive), "url": url, "day": f"{SPEC.start}"}
        lakes = Folders(tmp_path_factory.mktemp("night"))
        yield Case(server, lakes, "nightly", about=lambda lake: about, at=at(2.5), swept=True)


def at(hours):
    from datetime import UTC, datetime, time, timedelta

    after = datetime.combine(SPEC.start, time(), UTC) + timedelta(days=1, hours=hours)
    return after.isoformat()


def test_a_night_lands_everything_step_by_step(night):
    last = night.states[-1]
    assert {"positions", "fills", "candles", "funding", "asset_contexts"} <= last.keys()
    assert {"snapshots", "accounts", "instruments"} <= last.keys()
    assert len(night.states) > 6


def test_killed_at_any_step_a_night_is_mended_by_the_next_run(night):
    night.hold_steps(2, 40)


def test_killed_at_any_time_a_night_is_mended_by_the_next_run(night):
    night.hold_times(1, 12)
