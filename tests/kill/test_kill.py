"""A writer that is killed at any moment has done everything or nothing, and can be repeated."""

import random

import pytest

from pipelines.simulator.archive.write import write_archive
from pipelines.simulator.world import WorldSpec
from tests.effort import THOROUGH
from tests.kill.case import Case, Folders

pytestmark = pytest.mark.slow
VERBS = {
    "ingest": {},
    "compact": {"before": ["hours"]},
    # What the killed one left is removed by a compaction.
    "replace": {"before": ["hours", "compact"], "swept": True},
}


@pytest.fixture(scope="module")
def case_of(server, tmp_path_factory):
    archive = tmp_path_factory.mktemp("archive")
    spec = WorldSpec(coins=2, accounts=20)
    write_archive(spec, 1, archive, snapshot_every=8, books=False, contexts=False)
    made = {}

    def of(verb):
        if verb not in made:
            about = {"archive": str(archive)} if verb == "ingest" else {}
            lakes = Folders(tmp_path_factory.mktemp(verb))
            made[verb] = Case(server, lakes, verb, about=lambda lake: about, **VERBS[verb])
        return made[verb]

    return of


@pytest.mark.parametrize("verb", VERBS)
def test_killed_at_any_step_it_has_done_everything_or_nothing(case_of, verb):
    case_of(verb).hold_steps(2, {"ingest": 80, "compact": 40, "replace": 40}[verb])


@pytest.mark.parametrize("verb", VERBS)
def test_killed_at_any_time_it_has_done_everything_or_nothing(case_of, verb):
    case_of(verb).hold_times(1, 15)


@pytest.mark.parametrize("verb", VERBS)
def test_on_a_full_disk_it_says_so_and_can_be_repeated(case_of, verb):
    case = case_of(verb)
    points = random.Random(10).sample(range(1, case.points), 12 if THOROUGH else 1)
    for number, point in enumerate(points):
        told, _ = case.hold(f"full-{number}", point=point, full=True)
        assert "the disk is full" in told["answer"].get("error", "the disk is full")


def test_a_writer_that_does_half_would_be_seen(server, tmp_path):
    case = Case(server, Folders(tmp_path), "clumsy")
    assert len(case.states) == 3
    with pytest.raises(AssertionError):
        case.hold("planted", point=case.points // 2 + 1)
