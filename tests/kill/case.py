"""A verb on a lake: how it begins, what may be seen on the way, how it ends."""

import random
import shutil
from pathlib import Path

from tests.effort import THOROUGH


class Folders:
    """Lakes in folders: ``name`` is one of them, with what belongs to it beside it."""

    def __init__(self, folder):
        self.folder = folder

    def make(self, name):
        self.place(name).mkdir(parents=True)
        return str(self.place(name))

    def place(self, name):
        return Path(self.folder, name, "lake")

    def copy(self, of, name):
        shutil.copytree(self.place(of).parent, self.place(name).parent)
        return str(self.place(name))

    def drop(self, name):
        shutil.rmtree(self.place(name).parent)

    def tree(self, name):
        """Return every file of a lake, hidden ones and the ledger too."""
        lake = self.place(name)
        return {
            str(file.relative_to(lake)): file.read_bytes()
            for file in sorted(lake.rglob("*"))
            if file.is_file()
        }


class Case:
    """Kills a verb, and holds what is left to what a run that was not killed leaves.

    Parameters
    ----------
    server
        Runs verbs.
    lakes
        Where trials lie.
    verb, before
        What is killed, and what is landed before it.
    about
        Of a lake, what the verb is told besides.
    at
        When it is; None: in 2100.
    swept
        Whether a compaction first removes what a killed one may leave behind.
    rows
        Whether the same rows are enough: how they are cut into parts depends on when it was
        killed.
    """

    def __init__(
        self, server, lakes, verb, *, before=(), about=None, at=None, swept=False, rows=False
    ):
        self.server, self.lakes, self.verb, self.at = server, lakes, verb, at
        self.about = about or (lambda lake: {})
        self.swept, self.rows = swept, rows
        lake = lakes.make("start")
        for each in before:
            server.run(each, lake, {}, at=at)
        lake = lakes.copy("start", "steps")
        self.states = server.states(verb, lake, self.about(lake), at=at)
        lake = lakes.copy("start", "whole")
        told = server.run(verb, lake, self.about(lake), at=at)
        self.points, self.seconds = told["answer"]["points"], told["seconds"]
        assert server.look(lake) == self.states[-1]
        self.tree = self.last("whole")

    def hold(self, name, **how):
        """Kill the verb once, look, repeat it, and compare with what was never killed."""
        lake = self.lakes.copy("start", name)
        about = self.about(lake)
        told = self.server.ask("run", lake, verb=self.verb, about=about, at=self.at, **how)
        seen = self.server.look(lake)
        assert seen in self.states, how
        self.server.run(self.verb, lake, about, at=self.at)
        assert self.server.look(lake) == self.states[-1], how
        if not self.rows:
            assert self.last(name) == self.tree, how
        self.lakes.drop(name)
        return told, self.states.index(seen)

    def last(self, name):
        """Return the files at the end."""
        if self.swept:
            # In 2100, when all that nobody lists is old enough to go.
            self.server.run("compact", str(self.lakes.place(name)), {})
        return self.lakes.tree(name)

    def hold_steps(self, few, many, least=20):
        """Kill it before or after steps drawn from all; return the states that were seen."""
        assert self.points >= least
        wanted = [(point, after) for point in range(1, self.points + 1) for after in (0, 1)]
        share = min(many if THOROUGH else few, len(wanted))
        seen = []
        for number, (point, after) in enumerate(random.Random(8).sample(wanted, share)):
            told, state = self.hold(f"step-{number}", point=point, after=bool(after))
            assert told["killed"], (self.points, point, after, told)
            seen.append(state)
        return seen

    def hold_times(self, few, many):
        """Kill it after a time drawn from all that it takes."""
        draws = random.Random(9)
        for number in range(many if THOROUGH else few):
            self.hold(f"time-{number}", delay=draws.uniform(0, self.seconds))
