"""This module says which stale ages a run of a job tells of: all of them, or the news."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from warehouse.health.batches import Rows
from warehouse.health.cadences import HOUR
from warehouse.health.freshness import Age, ages_at
from warehouse.health.runs import Run


def ages_to_tell(lines: Rows, runs: Iterable[Run], job: str, now: datetime) -> Sequence[Age]:
    """Return the stale ones that a run of a job tells of.  Pure.

    A night tells all.  An hour tells what became stale since the hour before it, and once a day
    what still is: a dead night is heard of, and nobody is told the same 24 times a day.

    Parameters
    ----------
    lines
        What :func:`warehouse.health.batches.lines_of` returns.
    runs
        What is remembered of jobs.
    job
        Which job ran; others than these two tell of nothing stale.
    now
        When it ended.
    """
    runs = list(runs)
    stale = [age for age in ages_at(lines, runs, now) if age.stale]
    if job == "nightly":
        return stale
    if job != "hourly":
        return []
    before = {age[:2]: age.overdue_days for age in ages_at(lines, runs, now - HOUR)}
    return [age for age in stale if age.overdue_days != before.get(age[:2])]
