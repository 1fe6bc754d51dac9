"""A person sees what a sweep will take and how far it is, wherever its lines go."""

import re
from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest

from pipelines.cli.venue import sweep
from pipelines.jobs.job import job_of, run_plainly
from pipelines.jobs.telling import tell, telling
from pipelines.settings import settings_of
from pipelines.sources.info import budget
from pipelines.steps import sweep_pace
from tests.simulator.serving import served, small_venue
from warehouse import open_lake

NOW = datetime(2026, 1, 6, 2, tzinfo=UTC)


@pytest.fixture
def url(monkeypatch):
    """A venue whose minute is half a second, and lines as often as something is done."""
    monkeypatch.setattr(budget, "_BUDGETS", {})
    monkeypatch.setattr(budget, "WINDOW", 0.5)
    monkeypatch.setattr(sweep_pace, "EVERY", timedelta(0))
    with served(small_venue(), clock=lambda: 120 * monotonic()) as (url, _):
        yield url


def test_the_command_says_its_plan_and_then_how_far_it_is(url, tmp_path, capsys):
    lake = tmp_path / "lake"
    args = ["--lake", str(lake), "--url", url, "--leaderboard", f"{url}/leaderboard"]
    sweep.main([*args, "--simulated"], standalone_mode=False)
    said = capsys.readouterr().err.splitlines()
    plan = next(n for n, line in enumerate(said) if line.startswith("sweep: asks "))
    count = re.match(r"sweep: asks (\d+) accounts on 1 dexes, 50 in a question", said[plan])[1]
    lines = [line for line in said[plan:] if line.startswith("accounts, now on hyperliquid: ")]
    assert lines[-1].startswith(f"accounts, now on hyperliquid: {count} of {count}")
    assert re.search(
        r"weight \d+ of 1080 a minute, (about \d+ min|less than a minute)$", said[plan]
    )
    # The venue's clock stands: what it answers again is held, which is no failure.
    with open_lake(lake) as con:
        before = con.sql("from positions").fetchall()
    sweep.main([*args, "--simulated"], standalone_mode=False)
    assert f"{count} answers on hyperliquid are of an instant that the lake holds" in (
        capsys.readouterr().err
    )
    with open_lake(lake) as con:
        assert con.sql("from positions").fetchall() == before


def test_a_job_tells_how_far_its_sweep_is(url, tmp_path, capsys):
    """To who runs it, if that wants the lines: Prefect's tasks have a log of their own."""
    venue = {
        "url": url,
        "leaderboard": "",
        "listen_seconds": 0.0,
        "simulated": True,
        "books": 0,
    }
    settings = settings_of({"lake": str(tmp_path / "lake"), "venue": venue})
    job, lines = job_of("hourly", settings, {}, NOW), []
    with telling(lines.append):
        run_plainly(job).check("hourly")
    assert "sweep: " not in capsys.readouterr().err
    assert any(line.startswith("sweep: asks ") for line in lines)
    assert any(line.startswith("accounts, now on hyperliquid: ") for line in lines)


def test_lines_go_to_the_terminal_if_nobody_else_wants_them(capsys):
    tell("half of it")
    assert capsys.readouterr().err == "half of it\n"
