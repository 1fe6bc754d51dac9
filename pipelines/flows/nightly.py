"""This module is the Prefect flow of the nightly ingest.

Orchestration only: what to land, in which order, and which errors may pass by themselves is in
:mod:`pipelines.steps.nightly`.
"""

import logging
from datetime import date
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.schedules import Cron

from pipelines.landed import Landed
from pipelines.steps.nightly import (
    Roots,
    Verb,
    closed_day,
    is_passing,
    raise_failures,
    verbs_of,
)


async def _may_pass(_task: Any, _run: Any, state: Any) -> bool:
    """Return whether a failed task is worth another try."""
    error = await state.aresult(raise_on_failure=False)
    return is_passing(error)


@task(
    retries=3,
    retry_delay_seconds=[10, 60, 600],
    retry_jitter_factor=0.5,
    retry_condition_fn=_may_pass,
)
def land(verb: Verb) -> list[Landed]:
    """Run one verb; safe to repeat, so safe to retry."""
    return verb()


@flow(name="nightly", log_prints=False, persist_result=False, validate_parameters=False)
def nightly(roots: Roots, lake: Path, day: date | None = None) -> list[Landed]:
    """Land one closed day: yesterday, or ``day``; a failing verb does not stop the others."""
    wanted = day or closed_day()
    landed: list[Landed] = []
    failed: dict[str, Exception] = {}
    for name, verb in verbs_of(Roots(*roots).check(), Path(lake), wanted):
        state = land.with_options(name=f"land-{name}")(verb, return_state=True)
        result = state.result(raise_on_failure=False)
        if isinstance(result, Exception):
            failed[name] = result
        else:
            landed += result
    raise_failures(wanted, failed)
    return landed


def run_once(roots: Roots, lake: Path, day: date) -> list[Landed]:
    """Run the flow for a person: its log tells what failed in a line, without a traceback."""

    def without_traceback(record: logging.LogRecord) -> bool:
        record.exc_info = None
        return True

    for name in ("prefect.flow_runs", "prefect.task_runs"):
        logging.getLogger(name).addFilter(without_traceback)
    return nightly(roots, lake, day)


def serve(roots: Roots, lake: Path, cron: str) -> None:
    """Run the flow on ``cron`` (UTC) in this process until it is stopped."""
    nightly.serve(
        name="nightly",
        schedules=[Cron(cron, timezone="UTC")],
        parameters={"roots": list(roots), "lake": str(lake)},
    )
