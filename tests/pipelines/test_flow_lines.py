"""Under Prefect, what a sweep tells stands in its task's log."""

from datetime import timedelta
from time import monotonic

import pytest

from pipelines.settings import settings_of
from pipelines.sources.info import budget
from pipelines.steps import sweep_pace
from tests.simulator.serving import served, small_venue

pytestmark = pytest.mark.slow


def test_a_task_logs_the_plan_and_how_far_it_is(tmp_path, monkeypatch, capsys):
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
    said = [line for line in capsys.readouterr().err.splitlines() if "Task run 'sweep-" in line]
    assert any(" - sweep: asks " in line for line in said)
    assert any(" - accounts, now on hyperliquid: " in line for line in said)
