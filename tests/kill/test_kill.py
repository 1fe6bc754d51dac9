"""A writer that is killed at any moment has done everything or nothing, and can be repeated."""

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.simulator.archive.write import write_archive
from pipelines.simulator.world import WorldSpec

THOROUGH = os.environ.get("EXAMPLES") == "thorough"
pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


class Server:
    """Asks the fork server."""

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.kill.server"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, do, lake, **others):
        asked = {"do": do, "lake": str(lake)} | others
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def run(self, do, lake, **others):
        told = self.ask(do, lake, **others)
        assert "error" not in (told["answer"] or {"error": "ended"}), (do, told)
        return told

    def look(self, lake):
        told = self.ask("look", lake)
        assert told["answer"] is not None, "the lake cannot be read"
        return told["answer"]

    def stop(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.stop()


def tree(lake):
    """Return every file of a lake, hidden ones and the ledger too."""
    return {
        str(file.relative_to(lake)): file.read_bytes()
        for file in sorted(lake.rglob("*"))
        if file.is_file()
    }


class Case:
    """A verb on a lake: how it begins, what may be seen on the way, how it ends."""

    def __init__(self, server, folder, verb, before=(), between=(), archive=""):
        self.server, self.folder = server, folder
        self.verb, self.archive = verb, archive
        self.start = folder / "start"
        self.start.mkdir(parents=True)
        for each in before:
            server.run(each, self.start, archive=archive)
        self.states = [server.look(self.start)]
        step = shutil.copytree(self.start, folder / "steps")
        for each in between:
            server.run(each, step, archive=archive)
            self.states.append(server.look(step))
        whole = shutil.copytree(self.start, folder / "whole")
        told = server.run(verb, whole, archive=archive)
        self.points, self.seconds = told["answer"]["points"], told["seconds"]
        self.states.append(server.look(whole))
        self.tree = tree(whole)

    def hold(self, number, **how):
        """Kill the verb once, look, repeat it, and compare with what was never killed."""
        lake = shutil.copytree(self.start, self.folder / f"trial-{number}")
        told = self.server.ask(self.verb, lake, archive=self.archive, **how)
        assert self.server.look(lake) in self.states, how
        self.server.run(self.verb, lake, archive=self.archive)
        assert self.server.look(lake) == self.states[-1], how
        if self.verb == "replace":  # what the killed one left is removed by a compaction
            self.server.run("compact", lake)
            expected = shutil.copytree(self.folder / "whole", Path(f"{lake}-whole"))
            self.server.run("compact", expected)
            assert tree(lake) == tree(expected), how
        else:
            assert tree(lake) == self.tree, how
        shutil.rmtree(lake)
        return told


@pytest.fixture(scope="module")
def case_of(server, tmp_path_factory):
    archive = tmp_path_factory.mktemp("archive")
    spec = WorldSpec(coins=2, accounts=20)
    write_archive(spec, 1, archive, snapshot_every=8, books=False, contexts=False)
    hours = ["hours"]
    cases = {
        "ingest": {"between": ("market", "positions"), "archive": str(archive)},
        "compact": {"before": hours},
        "replace": {"before": [*hours, "compact"]},
    }
    made = {}

    def of(verb):
        if verb not in made:
            made[verb] = Case(server, tmp_path_factory.mktemp(verb), verb, **cases[verb])
        return made[verb]

    return of


VERBS = ["ingest", "compact", "replace"]


@pytest.mark.parametrize("verb", VERBS)
def test_killed_at_any_step_it_has_done_everything_or_nothing(case_of, verb):
    case = case_of(verb)
    assert case.points > 20
    wanted = [(point, after) for point in range(1, case.points + 1) for after in (False, True)]
    share = {"ingest": 80, "compact": 40, "replace": 40}[verb] if THOROUGH else 2
    wanted = random.Random(8).sample(wanted, min(share, len(wanted)))
    for number, (point, after) in enumerate(wanted):
        told = case.hold(number, point=point, after=after)
        assert told["killed"], (case.points, point, after, told)


@pytest.mark.parametrize("verb", VERBS)
def test_killed_at_any_time_it_has_done_everything_or_nothing(case_of, verb):
    case = case_of(verb)
    draws = random.Random(9)
    for number in range(15 if THOROUGH else 1):
        delay = draws.uniform(0, case.seconds)
        case.hold(f"time-{number}", delay=delay)


@pytest.mark.parametrize("verb", VERBS)
def test_on_a_full_disk_it_says_so_and_can_be_repeated(case_of, verb):
    case = case_of(verb)
    points = random.Random(10).sample(range(1, case.points), 12 if THOROUGH else 1)
    for number, point in enumerate(points):
        told = case.hold(f"full-{number}", point=point, full=True)
        assert "the disk is full" in told["answer"].get("error", "the disk is full")
