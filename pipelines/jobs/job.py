"""This module finds a job by its name, and runs it plainly."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from pipelines.jobs.backfill import backfill_stages
from pipelines.jobs.hourly import hourly_stages
from pipelines.jobs.nightly import closed_day, nightly_stages
from pipelines.jobs.planned import missing_days
from pipelines.jobs.units import Done, Progress, Unit, run_units
from pipelines.settings import Settings


class Job(NamedTuple):
    """What is to be done: stages one after the other, each of units that do not wait."""

    name: str
    stages: list[list[Unit]]


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
        return Job(name, hourly_stages(settings, now.date()))
    if name == "nightly":
        day = asked.get("day")
        wanted = date.fromisoformat(day) if day else closed_day(now)
        late = missing_days(settings, wanted, now)
        return Job(f"{name} {wanted}", nightly_stages(settings, wanted, late))
    days = [(source, date.fromisoformat(day)) for source, day in asked["days"]]
    return Job(name, backfill_stages(settings, days))


def run_plainly(job: Job, progress: Progress | None = None) -> Done:
    """Run a job's units one after the other, without Prefect."""
    return run_units((unit for stage in job.stages for unit in stage), progress)
