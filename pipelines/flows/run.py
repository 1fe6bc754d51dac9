"""This module runs a job's flow for a person, or serves jobs on their schedule."""

import logging
from collections.abc import Mapping
from typing import Any

from prefect import serve
from prefect.schedules import Cron

from pipelines.flows.job import run_job
from pipelines.flows.runner import task_runner
from pipelines.landed import Landed
from pipelines.settings import Settings


def run_once(job: str, settings: Settings, asked: Mapping[str, Any]) -> list[Landed]:
    """Run a job now: its log tells what failed in a line, without a traceback."""

    def without_traceback(record: logging.LogRecord) -> bool:
        record.exc_info = None
        return True

    for name in ("prefect.flow_runs", "prefect.task_runs"):
        logging.getLogger(name).addFilter(without_traceback)
    named = run_job.with_options(name=job, task_runner=task_runner(settings.run))
    return named(job, settings.plain(), asked)


def serve_jobs(settings: Settings) -> None:
    """Run the jobs on their cron (UTC) in this process until it is stopped.

    One at a time: they share one address's rate limit, and a night asks what an hour asks.
    """
    crons = {"hourly": settings.schedule.hourly, "nightly": settings.schedule.nightly}
    deployments = [
        run_job.with_options(name=job, task_runner=task_runner(settings.run)).to_deployment(
            name=job,
            schedules=[Cron(cron, timezone="UTC")],
            parameters={"job": job, "settings": settings.plain(), "asked": {}},
        )
        for job, cron in crons.items()
        if job == "nightly" or settings.venue
    ]
    serve(*deployments, limit=1)
