"""Work spread by Prefect's task runners: threads here, and a Dask cluster."""

import time

import pytest
from click.testing import CliRunner

from backtest.question import Question
from backtest.search.asked import Search
from backtest.search.keep import search
from backtest.search.space import axis_of
from backtest.strategies.catalogue import made
from pipelines.settings import SettingsError
from tests.backtest.small_lake import HOURS, at, land_lake
from warehouse import open_lake

pytestmark = pytest.mark.slow


def slowly(seconds):
    time.sleep(seconds)
    return seconds


def fails(item):
    raise LookupError(f"nothing of {item}")


def test_answers_come_as_they_are_ready_and_errors_as_they_are(prefect):
    from pipelines.flows.spread import spread_on

    spread = spread_on("threads", 2)
    assert list(spread(slowly, [1.5, 0.0])) == [0.0, 1.5]
    assert list(spread(slowly, [])) == []
    with pytest.raises(LookupError, match="nothing of 7"):
        list(spread(fails, [7]))


def test_who_stops_listening_stops_the_work(prefect):
    from pipelines.flows.spread import spread_on

    answers = spread_on("threads", 1)(slowly, [0.0, 0.0, 0.0])
    assert next(answers) == 0.0
    answers.close()


def test_a_runner_that_is_none_is_refused():
    from pipelines.flows.spread import spread_on

    with pytest.raises(
        SettingsError, match="--runner 'slurm' must be one of threads, dask, ray"
    ):
        spread_on("slurm")


def test_the_front_door_hands_the_runner_to_the_sweep(tmp_path):
    from undertow import cli

    lake = str(land_lake(tmp_path))
    words = ["backtest", "sweep", "--set", "stop_pct=1,2", "--coin", "BTC", "--lake", lake]
    words += ["--from", "2026-01-03", "--to", "2026-01-10", "--runner", "slurm"]
    done = CliRunner().invoke(cli, words)
    assert isinstance(done.exception, SettingsError)
    assert "--runner 'slurm' must be one of" in str(done.exception)


def asked():
    rule = made("breakout+asymmetry_filter", {"lookback": "6"})
    axes = tuple(axis_of(rule, word) for word in ("stop_pct=1,2", "min_ratio=1,2"))
    question = Question(strategy=rule, coins=("BTC",), since=at(12), until=at(HOURS))
    return Search(question=question, axes=axes, chunk=1)


def trials(lake):
    with open_lake(lake) as con:
        return con.sql("from backtest_trials order by all").pl()


def test_a_search_on_two_dask_workers_finds_the_same_trials(prefect, tmp_path, monkeypatch):
    # Whoever edits the code meanwhile; searches are named by it.
    monkeypatch.setattr("backtest.search.keep.code_hash", lambda: "as it is")
    from distributed import Client, LocalCluster

    from pipelines.flows.spread import spread_on

    one, two = str(land_lake(tmp_path / "one")), str(land_lake(tmp_path / "two"))
    search(one, asked())
    told = []
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        client.get_task_stream(count=1)  # starts keeping record of who works
        kept = search(
            two,
            asked(),
            spread=spread_on(f"dask:{cluster.scheduler_address}"),
            progress=lambda done, total: told.append((done, total)),
        )
        workers = {each["worker"] for each in client.get_task_stream()}
    assert len(workers) == 2
    assert (kept.trials, told) == (4, [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)])
    assert trials(two).equals(trials(one))
