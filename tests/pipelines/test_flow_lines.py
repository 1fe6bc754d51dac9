"""Under Prefect, what a sweep tells stands in its task's log."""

from datetime import timedelta
from time import monotonic

import pytest

from pipelines.settings import settings_of
from pipelines.sources.info import budget
from pipelines.steps import sweep_pace
from tests.simulator.serving import served, small_venue

pytestmark = pytest.mark.slow


def test_a_task_logs_the_plan_and_how_far_it_is(tmp_path, monkeypatch):
    from prefect.testing.utilities import prefect_test_harness

    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    monkeypatch.setattr(budget, "_BUDGETS", {})
    monkeypatch.setattr(budget, "WINDOW", 0.5)
    monkeypatch.setattr(sweep_pace, "EVERY", timedelta(0))
    server = served(small_venue(), clock=lambda: 120 * monotonic())
    with prefect_test_harness(server_startup_timeout=None), server as (url, _):
        from pipelines.flows.run import run_once

        venue = {"url": url, "leaderboard": "", "listen_seconds": 0.0, "simulated": True}
        settings = settings_of({"lake": str(tmp_path / "lake"), "venue": venue | {"books": 0}})
        run_once("hourly", settings, {})
        said = _lines_of("sweep")
    assert any(line.startswith("sweep: asks ") for line in said)
    assert any(line.startswith("accounts, now on hyperliquid: ") for line in said)


def _lines_of(task: str) -> list[str]:
    """What the server holds as the log of this task: the console's stream belongs to whichever
    test of the process first made Prefect write to it."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import LogFilter, LogFilterTaskRunId
    from prefect.client.schemas.sorting import LogSort, TaskRunSort
    from prefect.logging.handlers import APILogWorker

    APILogWorker.instance().drain()
    with get_client(sync_client=True) as client:
        runs = client.read_task_runs(
            limit=200, offset=0, sort=TaskRunSort.EXPECTED_START_TIME_DESC
        )
        of_task = [run.id for run in runs if run.name.startswith(f"{task}-")]
        of_runs = LogFilter(task_run_id=LogFilterTaskRunId(any_=of_task))
        logs = client.read_logs(of_runs, limit=200, offset=0, sort=LogSort.TIMESTAMP_ASC)
    return [log.message for log in logs]
