"""This module is the Prefect flow of every job: its units as tasks, then artifacts.

Orchestration only: what a job does is in :mod:`pipelines.jobs`.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from prefect import flow, get_run_logger, runtime, task
from prefect.futures import PrefectFuture
from prefect.utilities.annotations import allow_failure

from pipelines.flows.artifacts import show
from pipelines.jobs.job import job_of
from pipelines.jobs.telling import telling
from pipelines.jobs.units import Done, Unit, is_passing
from pipelines.jobs.watched import Watch
from pipelines.landed import Landed
from pipelines.settings import settings_of
from warehouse.terminal import say


async def _may_pass(_task: Any, _run: Any, state: Any) -> bool:
    """Return whether a failed task is worth another try."""
    return is_passing(await state.aresult(raise_on_failure=False))


@task(
    retries=3,
    retry_delay_seconds=[10, 60, 600],
    retry_jitter_factor=0.5,
    retry_condition_fn=_may_pass,
    persist_result=False,
)
def land(unit: Unit) -> list[Landed]:
    """Run one unit; safe to repeat, so safe to retry.  The task's log holds what it tells."""
    with telling(get_run_logger().info):
        return unit.run()


@flow(name="job", log_prints=False, persist_result=False, validate_parameters=False)
def run_job(job: str, settings: Mapping[str, Any], asked: Mapping[str, Any]) -> list[Landed]:
    """Run the units of a job; one that fails does not stop the others, and is told.

    Parameters
    ----------
    job
        ``hourly``, ``nightly`` or ``backfill``.
    settings
        As :meth:`pipelines.settings.Settings.plain` gives them.
    asked
        What the job is asked for: see :func:`pipelines.jobs.job_of`.
    """
    chosen = settings_of({key: value for key, value in settings.items() if value is not None})
    with Watch(job, chosen) as watch:
        found, done = job_of(job, chosen, asked, due()), Done()
        for line in found.plan:
            say(line)
        for stage in found.stages:
            _run_stage(stage, done)
        watch.close(found.name, found.units, done)
        show(job, chosen, done)
    return done.check(found.name)


def due() -> datetime:
    """Return when this run was due: one that starts late is still of its own day."""
    moment = runtime.flow_run.get_scheduled_start_time()
    # Prefect's times are of a kind of their own, whose differences only it can divide.
    return (
        datetime.now(UTC) if moment is None else datetime.fromtimestamp(moment.timestamp(), UTC)
    )


def _run_stage(stage: Sequence[Unit], done: Done) -> None:
    """Run units beside each other, those of one lane in their order."""
    futures: dict[str, PrefectFuture[Any]] = {}
    newest: dict[str, PrefectFuture[Any]] = {}
    for unit in stage:
        before = [allow_failure(newest[unit.lane])] if unit.lane in newest else None
        named = land.with_options(name=unit.name, tags=[f"undertow-{unit.lane}"])
        futures[unit.name] = newest[unit.lane] = named.submit(unit, wait_for=before)
    for name, future in futures.items():
        future.wait()
        result = future.state.result(raise_on_failure=False)
        if isinstance(result, Exception):
            done.fail(name, result)
        else:
            done.units[name] = result
