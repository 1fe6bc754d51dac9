"""Under Prefect, what a sweep tells stands in its task's log."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic

import pytest

from pipelines.settings import settings_of
from pipelines.sources.info import budget
from pipelines.steps import sweep_pace
from tests.simulator.serving import served, small_venue

pytestmark = pytest.mark.slow


def test_a_task_logs_the_plan_and_how_far_it_is(prefect, tmp_path, monkeypatch):
    monkeypatch.setattr(budget, "_BUDGETS", {})
    monkeypatch.setattr(budget, "WINDOW", 0.5)
    monkeypatch.setattr(sweep_pace, "EVERY", timedelta(0))
    server = served(small_venue(), clock=lambda: 120 * monotonic())
    with server as (url, _):
        from pipelines.flows.run import run_once

        venue = {"url": url, "leaderboard": "", "listen_seconds": 0.0, "simulated": True}
        settings = settings_of({"lake": str(tmp_path / "lake"), "venue": venue | {"books": 0}})
        with _lines_of("sweep") as said:
            run_once("hourly", settings, {})
    assert any(line.startswith("sweep: asks ") for line in said)
    assert any(line.startswith("accounts, now on hyperliquid: ") for line in said)


@contextmanager
def _lines_of(task: str) -> Iterator[list[str]]:
    """Give what the runs of this task log: where it goes from there, to a console or to the
    server, depends on what the process did before."""
    lines = []

    def keep(record: logging.LogRecord) -> bool:
        if getattr(record, "task_run_name", "").startswith(f"{task}-"):
            lines.append(record.getMessage())
        return True

    logger = logging.getLogger("prefect.task_runs")
    logger.addFilter(keep)  # a handler would go when Prefect sets its logging up again
    try:
        yield lines
    finally:
        logger.removeFilter(keep)
