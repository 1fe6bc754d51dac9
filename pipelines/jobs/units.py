"""This module runs units of work one after the other, and says what became of each."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from pipelines.landed import Landed, PartlyLanded
from pipelines.sources.errors import UnreachableError

Verb = Callable[[], list[Landed]]
Progress = Callable[[str, int, int], None]
_DAY = re.compile(r" \d{4}-\d{2}-\d{2}$", re.ASCII)


class JobError(ValueError):
    """Some units of a job failed; what the others landed is in the lake."""


class Unit(NamedTuple):
    """One thing a job does, which can be repeated and can fail without the others.

    Attributes
    ----------
    name
        For people: ``fills node_fills_by_block 2026-01-02``.
    run
        The verb; it can be pickled, so that another machine may run it.
    lane
        Units of one lane run in their order; lanes run beside each other.
    """

    name: str
    run: Verb
    lane: str = "lake"

    @property
    def kind(self) -> str:
        """Return what it does each time: its name without a day.

        >>> Unit("reservoir 2026-01-02", list).kind, Unit("sweep", list).kind
        ('reservoir', 'sweep')
        """
        return _DAY.sub("", self.name)


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a job.

    Attributes
    ----------
    units
        Name of each unit that landed something -> what.
    failed
        Name of each unit that failed -> why; it may have landed something all the same.
    """

    units: dict[str, list[Landed]] = field(default_factory=dict)
    failed: dict[str, Exception] = field(default_factory=dict)

    @property
    def landed(self) -> list[Landed]:
        """Return what was landed, whichever unit did."""
        return [one for some in self.units.values() for one in some]

    def fail(self, name: str, error: Exception) -> None:
        """Note that a unit failed, and what it landed all the same."""
        self.failed[name] = error
        if isinstance(error, PartlyLanded):
            self.units[name] = error.landed

    def check(self, job: str) -> list[Landed]:
        """Return what was landed, or raise what failed as one error."""
        if self.failed:
            said = "; ".join(f"{name}: {error}" for name, error in self.failed.items())
            raise JobError(f"{job}: {said}") from next(iter(self.failed.values()))
        return self.landed


def run_units(units: Iterable[Unit], progress: Progress | None = None) -> Done:
    """Run units one after the other; one that fails does not stop the others.

    ``progress`` is called with the unit that starts, how many are done, and of how many.
    """
    units = list(units)
    done = Done()
    for number, unit in enumerate(units):
        if progress:
            progress(unit.name, number, len(units))
        try:
            done.units[unit.name] = unit.run()
        except (ValueError, OSError) as error:
            done.fail(unit.name, error)
    if progress:
        progress("done", len(units), len(units))
    return done


def is_passing(error: BaseException) -> bool:
    """Return whether trying again may help: not with what a source or a user got wrong."""
    if isinstance(error, UnreachableError):
        return True
    return not isinstance(error, ValueError | FileNotFoundError)
