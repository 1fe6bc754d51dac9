"""This module finds a job by its name, and runs it plainly."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from pipelines.jobs.backfill import backfill_stages, check_roots
from pipelines.jobs.hourly import hourly_stages
from pipelines.jobs.nightly import closed_day, nightly_stages
from pipelines.jobs.planned import missing_days
from pipelines.jobs.spending import priced, spending
from pipelines.jobs.units import Done, Progress, Unit, run_units
from pipelines.settings import Settings


class Job(NamedTuple):
    """What is to be done.

    Attributes
    ----------
    name
        For people: ``nightly 2026-01-02``.
    stages
        One after the other, each of units that do not wait for each other.
    plan
        What reading archives comes to, a line each.
    """

    name: str
    stages: list[list[Unit]]
    plan: Sequence[str] = ()

    @property
    def units(self) -> list[Unit]:
        """Return all units, in the order of their stages."""
        return [unit for stage in self.stages for unit in stage]


def job_of(name: str, settings: Settings, asked: Mapping[str, Any], now: datetime) -> Job:
    """Return a job.

    Parameters
    ----------
    name
        ``hourly``, ``nightly`` or ``backfill``.
    settings
        Where to read, and how.
    asked
        As JSON holds it.  Of a night ``day`` (ISO; yesterday without it); of a backfill
        ``days``: a list of ``[source, day]``, in order.
    now
        When the job was due.
    """
    if name == "hourly":
        return Job(name, hourly_stages(settings, now))
    if name == "nightly":
        day = asked.get("day")
        wanted = date.fromisoformat(day) if day else closed_day(now)
        today = [(source, wanted) for source in settings.roots]
        days = priced(settings, [*missing_days(settings, wanted, now), *today])
        # Tonight's day has the first right to the money: it is asked for by its own.
        spent = spending(days, settings.run.max_usd, first=today)
        stages = nightly_stages(settings, wanted, spent, now)
        return Job(f"{name} {wanted}", stages, list(spent.lines()))
    asked_days = [(source, date.fromisoformat(day)) for source, day in asked["days"]]
    check_roots(settings, dict.fromkeys(source for source, _ in asked_days))
    spent = spending(priced(settings, asked_days), settings.run.max_usd)
    return Job(name, backfill_stages(settings, spent), list(spent.lines()))


def run_plainly(job: Job, progress: Progress | None = None) -> Done:
    """Run a job's units one after the other, without Prefect."""
    return run_units(job.units, progress)
