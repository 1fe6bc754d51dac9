"""This module watches a run of a job, and calls when somebody must look at it.

Nobody looks at a job that runs for years, so the webhook hears of what failed, of what is stale
and of a run that died: one message a run, none if all is well.  A webhook that does not answer
is said, and fails nothing.
"""

import os
from datetime import UTC, datetime
from types import TracebackType

from pipelines.jobs.troubles import Trouble, message, trouble, troubles_of, untrusted
from pipelines.jobs.units import Done, Unit
from pipelines.landed import Landed
from pipelines.settings import Settings
from warehouse.health.alarms import WEBHOOK, AlarmError, post_alarm
from warehouse.health.batches import lines_of
from warehouse.health.freshness import ages_at, sentence_of
from warehouse.health.news import ages_to_tell
from warehouse.health.runs import Ended, remember, runs_of
from warehouse.health.untrusted import untrusted_since
from warehouse.store import Lake, NoLake, parts_of
from warehouse.terminal import say

HEALTH = "freshness"  # what is said of the lake after a run stands under this name


class Watch:
    """What watches one run; an error that leaves its block is told, and goes on.

    Parameters
    ----------
    job
        ``hourly``, ``nightly`` or ``backfill``.
    settings
        The run's; None: they could not be read yet.
    """

    def __init__(self, job: str, settings: Settings | None = None) -> None:
        self.job, self.settings = job, settings
        self.started = datetime.now(UTC)

    def __enter__(self) -> "Watch":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Tell of an error; a person who stops a run needs no message."""
        if isinstance(error, Exception):
            what = "no lake" if isinstance(error, NoLake | NotADirectoryError) else "died"
            for line in self._tell(self.job, [trouble(what, self.job, error)]):
                say(line)

    def close(self, name: str, units: list[Unit], done: Done) -> None:
        """Look at the lake after a run, tell what is wrong, and add what was said to ``done``.

        Parameters
        ----------
        name
            What the run is called: ``nightly 2026-01-02``.
        units
            All that it did.
        done
            What came of them.
        """
        found = troubles_of(done)
        notes: list[str] = []
        assert self.settings is not None
        lake = Lake.at(self.settings.lake)
        try:
            if lake.exists():
                more, notes = self._looked(lake, units, done)
                found += more
            else:
                found.append(trouble("no lake", lake, "after the run there is no lake"))
        except OSError as error:
            found.append(trouble("no lake", lake, error))
        notes += self._tell(name, found)
        done.units[HEALTH] = [Landed(HEALTH, notes=notes)]

    def _looked(
        self, lake: Lake, units: list[Unit], done: Done
    ) -> tuple[list[Trouble], list[str]]:
        """Return what is wrong with a lake after a run, and what is said of its age."""
        assert self.settings is not None
        now = datetime.now(UTC)
        others = ["nightly", "backfill", *(["hourly"] if self.settings.venue else [])]
        news = remember(lake, self.job, _ended(units, done), others, now)
        lines, runs = lines_of(parts_of(lake)), runs_of(lake)
        found = [
            trouble("stale", age.what, sentence_of(age))
            for age in ages_to_tell(lines, runs, self.job, now)
        ]
        found += untrusted(untrusted_since(lake, self.started))
        found += [trouble("new field", unit, name) for unit, name in news]
        ages = ages_at(lines, runs, now)
        return found, [f"stale: {sentence_of(age)}" for age in ages if age.stale]

    def _tell(self, name: str, found: list[Trouble]) -> list[str]:
        """Post one message; return what to say if it could not be told."""
        url = os.environ.get(WEBHOOK)
        if not (found and url):
            return []
        lake = self.settings.lake if self.settings else "no lake known"
        try:
            post_alarm(url, message(name, lake, found, datetime.now(UTC)))
        except AlarmError as error:
            return [str(error)]
        return []


def _ended(units: list[Unit], done: Done) -> dict[str, Ended]:
    """Return how each kind of unit has ended: well if all of it did."""
    ended: dict[str, Ended] = {}
    for unit in units:
        before = ended.get(unit.kind, Ended(True, ()))
        fields = {name for one in done.units.get(unit.name, ()) for name in one.unknown_fields}
        well = before.well and unit.name not in done.failed
        ended[unit.kind] = Ended(well, {*before.fields, *fields})
    return ended
