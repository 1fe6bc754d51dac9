"""The jobs under Prefect: the same bytes, retries, artifacts, and a Dask cluster."""

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime

import pytest

from pipelines.jobs.backfill import days_between
from pipelines.jobs.job import Job, job_of, run_plainly
from pipelines.jobs.units import Unit
from pipelines.landed import Landed
from pipelines.settings import settings_of
from pipelines.simulator.archive.write import write_archive
from pipelines.simulator.world import WorldSpec
from tests.pipelines.data_fills import tree

DAY = date(2026, 1, 6)
NOW = datetime(2026, 1, 9, 2, 30, tzinfo=UTC)
SOURCES = ("market_files", "reservoir", "node_fills_by_block")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    write_archive(WorldSpec(coins=4, accounts=60), 3, folder, books=False, contexts=False)
    return str(folder)


def settings(archive, lake, **run):
    roots = dict.fromkeys(SOURCES, archive)
    return settings_of({"lake": str(lake), "roots": roots, "run": {"grace": 0} | run})


def nightly(archive, lake, folder, *options):
    quick = folder / "undertow.toml"
    quick.write_text("[run]\ngrace = 0\n[roots]\nmarket_files = '" + archive + "'\n")
    roots = (f"--root={source}={archive}" for source in SOURCES)
    command = [sys.executable, "-m", "undertow", "ingest", "nightly", f"--settings={quick}"]
    command += [*roots, "--json"]
    # The temporary server keeps its state here; a proxy would swallow what is said to it.
    home = {"PREFECT_HOME": str(folder / "prefect"), "NO_PROXY": "127.0.0.1,localhost"}
    return subprocess.run(
        [*command, f"--day={DAY}", f"--lake={lake}", *options],
        env=os.environ | home,
        capture_output=True,
        text=True,
    )


def test_the_flow_lands_what_the_plain_job_lands(archive, tmp_path):
    plain = nightly(archive, tmp_path / "plain", tmp_path, "--plain")
    flow = nightly(archive, tmp_path / "flow", tmp_path)
    assert (plain.returncode, flow.returncode) == (0, 0), flow.stderr
    ours, theirs = (
        [one for one in json.loads(done.stdout) if one["table"] != "freshness"]
        for done in (flow, plain)
    )
    assert ours == theirs != []  # how old rows are changes while one looks
    assert tree(tmp_path / "flow") == tree(tmp_path / "plain") != {}


def test_the_flow_tries_what_cannot_pass_once_and_the_rest_all_the_same(archive, tmp_path):
    done = nightly(archive, tmp_path / "lake", tmp_path, f"--root=reservoir={tmp_path}/none")
    assert done.returncode == 2
    said = [line for line in done.stderr.splitlines() if line.startswith("undertow: ")]
    assert len(said) == 1
    assert said[0].startswith("undertow: nightly 2026-01-06: reservoir 2026-01-06: root")
    assert not any(word in done.stderr for word in ("Traceback", "leaked", "Retrying"))
    assert any(path.startswith("fills/day=2026-01-06") for path in tree(tmp_path / "lake"))


def test_a_task_is_tried_again(prefect, archive, tmp_path, monkeypatch):
    """Two failures of a unit are absorbed; the third try lands."""
    from pipelines.flows import job as module

    tries = []

    def unit():
        tries.append(1)
        if len(tries) < 3:
            raise ConnectionError("the archive is away")
        return [Landed("fills", rows=7)]

    job = Job("nightly", [[Unit("fills", unit)]])
    monkeypatch.setattr(module, "job_of", lambda *asked: job)
    again = module.land.with_options(retries=3, retry_delay_seconds=[0, 0, 0])
    monkeypatch.setattr(module, "land", again)
    landed = module.run_job("nightly", settings(archive, tmp_path).plain(), {})
    assert (len(tries), landed[0].rows) == (3, 7)


def test_what_came_of_a_run_is_shown_as_artifacts(prefect, archive, tmp_path):
    from prefect.client.orchestration import get_client

    from pipelines.flows.run import run_once

    (tmp_path / "report.html").write_text("<p>a report</p>")
    run_once("nightly", settings(archive, tmp_path / "lake"), {"day": str(DAY)})
    with get_client(sync_client=True) as client:
        # The client's own question names what it leaves out as null, which its server refuses.
        answer = client.request("POST", "/artifacts/filter", json={"sort": "CREATED_DESC"})
    oldest_first = reversed(answer.json())
    shown = {one["key"].partition("-")[2]: one["data"] for one in oldest_first}
    assert {"landed", "gaps", "checks", "failed", "report"} <= shown.keys()
    rows = {row["table"]: row["rows"] for row in json.loads(shown["landed"])}
    assert rows["fills"] > 0 < rows["positions"]
    assert "report.html" in shown["report"]


def test_a_backfill_on_two_dask_workers_lands_the_same_bytes(prefect, archive, tmp_path):
    from distributed import Client, LocalCluster

    from pipelines.flows.run import run_once

    sources = ("reservoir", "node_fills_by_block")
    days = days_between(sources, date(2026, 1, 5), date(2026, 1, 8))
    asked = {"days": [[source, str(day)] for source, day in days]}
    run_plainly(job_of("backfill", settings(archive, tmp_path / "plain"), asked, NOW))
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        client.get_task_stream(count=1)  # starts keeping record of who works
        on = settings(archive, tmp_path / "dask", runner=f"dask:{cluster.scheduler_address}")
        run_once("backfill", on, asked)
        workers = {each["worker"] for each in client.get_task_stream()}
    assert len(workers) == 2
    assert tree(tmp_path / "dask") == tree(tmp_path / "plain") != {}
