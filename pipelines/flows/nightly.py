"""This module is the Prefect flow of the nightly ingest.

Orchestration only: what to land, and in which order, is in :mod:`pipelines.steps.nightly`.
"""

from datetime import date
from pathlib import Path

from prefect import flow, task
from prefect.schedules import Cron

from pipelines.landed import Landed
from pipelines.steps.nightly import Roots, Verb, closed_day, verbs_of


@task(retries=3, retry_delay_seconds=[10, 60, 600], retry_jitter_factor=0.5)
def land(verb: Verb) -> list[Landed]:
    """Run one verb; safe to repeat, so safe to retry."""
    return verb()


@flow(name="nightly", log_prints=False, persist_result=False, validate_parameters=False)
def nightly(roots: Roots, lake: Path, day: date | None = None) -> list[Landed]:
    """Land one closed day: yesterday, or ``day``."""
    verbs = verbs_of(Roots(*roots), Path(lake), day or closed_day())
    return [
        landed
        for name, verb in verbs
        for landed in land.with_options(name=f"land-{name}")(verb)
    ]


def serve(roots: Roots, lake: Path, cron: str) -> None:
    """Run the flow on ``cron`` (UTC) in this process until it is stopped."""
    nightly.serve(
        name="nightly",
        schedules=[Cron(cron, timezone="UTC")],
        parameters={"roots": list(roots), "lake": str(lake)},
    )
