"""A sweep that is killed has lost a slice at most, and a repeat ends as if it had not been.

The venue's clock stands still and ours is replayed; so a repeat asks the same questions at the
same times, has the same answers, and leaves the same bytes.
"""

from itertools import count

import pytest

from pipelines.simulator.serve.venue import open_venue
from pipelines.simulator.world import Simulation, WorldSpec
from tests.kill.case import Case, Folders
from tests.simulator.serving import served

pytestmark = pytest.mark.slow
AT = "2026-01-05T02:01:00+00:00"


@pytest.fixture(scope="module")
def venue():
    venue = open_venue(Simulation(WorldSpec(coins=2, accounts=24)), 120)
    minutes = count(0, 60)  # a minute a look: the venue's rate limit is never met
    with served(venue, clock=lambda: next(minutes)) as (url, _):
        yield url, venue.listing.addresses


@pytest.fixture(scope="module")
def slices(server, venue, tmp_path_factory):
    url, accounts = venue
    about = {"url": url, "accounts": accounts[:24]}
    lakes = Folders(tmp_path_factory.mktemp("slices"))
    return Case(server, lakes, "slices", about=lambda lake: about, at=AT)


@pytest.fixture(scope="module")
def sweep(server, venue, tmp_path_factory):
    lakes = Folders(tmp_path_factory.mktemp("sweep"))
    return Case(server, lakes, "sweep", about=lambda lake: {"url": venue[0]}, at=AT)


def test_a_sweep_is_seen_slice_by_slice(slices):
    """Each state a reader may see is one snapshot more than the one before."""
    counts = [state.get("snapshots", [0])[0] for state in slices.states]
    assert counts == list(range(len(counts)))
    assert len(counts) > 3
    assert slices.states[-1]["positions"][0] > 20


def test_killed_at_any_step_it_has_lost_a_slice_at_most(slices):
    slices.hold_steps(2, 40)


def test_killed_at_any_time_it_has_lost_a_slice_at_most(slices):
    slices.hold_times(1, 12)


def test_who_was_found_is_kept_when_asking_is_killed(sweep):
    """The whole verb: found (by listening to trades too), planned, asked."""
    seen = sweep.hold_steps(2, 40)
    assert len(sweep.states) > 2
    assert all(state < len(sweep.states) for state in seen)


def test_killed_while_it_listens_or_asks_it_can_be_repeated(sweep):
    sweep.hold_times(1, 12)
