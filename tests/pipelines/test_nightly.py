import os
import subprocess
import sys
from datetime import UTC, date, datetime

import pytest

from pipelines.simulator.archive.write import write_archive
from pipelines.simulator.world import WorldSpec
from pipelines.steps.nightly import Roots, closed_day, land_day, verbs_of
from warehouse import open_lake

DAY = date(2026, 1, 6)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    write_archive(WorldSpec(coins=4, accounts=60), 3, folder, books=False, contexts=False)
    return str(folder)


def days(lake):
    with open_lake(lake) as con:
        return {
            table: {day for (day,) in con.sql(f"select distinct day from {table}").fetchall()}
            for table in ("positions", "snapshots", "fills", "candles", "funding")
        }


def parts(lake):
    return {file.relative_to(lake): file.read_bytes() for file in lake.rglob("*.parquet")}


def test_a_night_lands_one_closed_day_of_everything(archive, tmp_path):
    landed = land_day(Roots(archive, archive, archive), tmp_path, DAY)
    assert set(map(frozenset, days(tmp_path).values())) == {frozenset({DAY})}
    assert {one.table for one in landed} >= {"positions", "snapshots", "fills", "candles"}


def test_the_same_night_twice_leaves_the_same_bytes(archive, tmp_path):
    roots = Roots(archive, archive, archive)
    land_day(roots, tmp_path, DAY)
    first = parts(tmp_path)
    land_day(roots, tmp_path, DAY)
    assert parts(tmp_path) == first


def test_what_has_no_root_is_not_read(archive, tmp_path):
    land_day(Roots(fills=archive), tmp_path, DAY)
    assert days(tmp_path)["fills"] == {DAY}
    assert days(tmp_path)["positions"] == set()


def test_market_comes_first_because_margins_need_its_instruments(tmp_path):
    names = [name for name, _ in verbs_of(Roots("m", "p", "f"), tmp_path, DAY)]
    assert names == ["market", "positions", "fills"]


def test_nothing_to_read_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="nightly: give at least one of --market"):
        land_day(Roots(), tmp_path, DAY)


def test_a_verb_that_fails_does_not_stop_the_others(archive, tmp_path):
    roots = Roots(positions=str(tmp_path / "nowhere"), fills=archive)
    with pytest.raises(ValueError, match=r"nightly 2026-01-06: positions: root .*nowhere"):
        land_day(roots, tmp_path / "lake", DAY)
    assert days(tmp_path / "lake")["fills"] == {DAY}


def test_a_day_that_a_source_does_not_have_is_a_gap(archive, tmp_path):
    landed = land_day(Roots(archive, archive, archive), tmp_path, date(2026, 1, 20))
    assert any("2026-01-20" in gap for one in landed for gap in one.gaps)
    assert sum(one.rows for one in landed if one.table in {"positions", "fills"}) == 0


def test_yesterday_is_the_newest_closed_day():
    assert closed_day(datetime(2026, 3, 1, 0, 0, 1, tzinfo=UTC)) == date(2026, 2, 28)


def nightly(archive, lake, folder, *options):
    roots = (f"--{name}={archive}" for name in ("market", "positions", "fills"))
    command = [sys.executable, "-m", "undertow", "ingest", "nightly", *roots, "--json"]
    # The temporary server keeps its state here; a proxy would swallow what is said to it.
    settings = {"PREFECT_HOME": str(folder / "prefect"), "NO_PROXY": "127.0.0.1,localhost"}
    return subprocess.run(
        [*command, f"--day={DAY}", f"--lake={lake}", *options],
        env=os.environ | settings,
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
def test_the_flow_lands_what_the_plain_verbs_land(archive, tmp_path):
    plain = nightly(archive, tmp_path / "plain", tmp_path, "--plain")
    flow = nightly(archive, tmp_path / "flow", tmp_path)
    assert (plain.returncode, flow.returncode) == (0, 0), flow.stderr
    assert flow.stdout == plain.stdout
    assert parts(tmp_path / "flow") == parts(tmp_path / "plain")


@pytest.mark.slow
def test_the_flow_tries_what_cannot_pass_once_and_the_rest_all_the_same(archive, tmp_path):
    lake = tmp_path / "lake"
    done = nightly(archive, lake, tmp_path, f"--positions={tmp_path / 'nowhere'}")
    assert done.returncode == 2
    said = [line for line in done.stderr.splitlines() if line.startswith("undertow: ")]
    assert len(said) == 1
    assert said[0].startswith("undertow: nightly 2026-01-06: positions: root")
    assert "Traceback" not in done.stderr
    assert "leaked" not in done.stderr
    assert "Retrying" not in done.stderr
    assert days(lake)["fills"] == {DAY}


@pytest.mark.slow
def test_a_task_is_tried_again(archive, tmp_path, monkeypatch):
    """Two failures of a verb are absorbed; the third try lands."""
    from prefect.testing.utilities import prefect_test_harness

    from pipelines.flows import nightly as module

    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    tries = []

    def verbs(roots, lake, day):
        def verb():
            tries.append(day)
            if len(tries) < 3:
                raise ConnectionError("the archive is away")
            return land_day(Roots(fills=archive), lake, day)

        yield "fills", verb

    monkeypatch.setattr(module, "verbs_of", verbs)
    monkeypatch.setattr(
        module, "land", module.land.with_options(retries=3, retry_delay_seconds=[0, 0, 0])
    )
    with prefect_test_harness():
        landed = module.nightly(Roots(fills=archive), tmp_path / "lake", DAY)
    assert len(tries) == 3
    assert [one.table for one in landed] == ["fills"]
    assert days(tmp_path / "lake")["fills"] == {DAY}
