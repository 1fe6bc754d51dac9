"""What the jobs do, without Prefect."""

import shutil
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest

from pipelines.jobs import upkeep
from pipelines.jobs import venue as venue_units
from pipelines.jobs.backfill import days_between, in_order
from pipelines.jobs.hourly import hourly_stages
from pipelines.jobs.job import job_of, run_plainly
from pipelines.jobs.nightly import closed_day, nightly_stages
from pipelines.jobs.spending import priced, spending
from pipelines.jobs.units import JobError, Unit, is_passing, run_units
from pipelines.jobs.upkeep import bin_days
from pipelines.landed import Landed
from pipelines.settings import SettingsError, settings_of
from pipelines.simulator.archive.write import write_archive
from pipelines.simulator.world import WorldSpec
from pipelines.sources.errors import SourceError, UnreachableError
from pipelines.sources.info import client
from tests.pipelines.data_fills import tree
from tests.rows import land_snapshot, position
from warehouse import open_lake
from warehouse.checks import guarded
from warehouse.marts.refresh import Refreshed, refresh
from warehouse.store import Lake, parts_of
from warehouse.store.ledger import as_parts, change

DAY = date(2026, 1, 6)
NOW = datetime(2026, 1, 9, 2, 30, tzinfo=UTC)
ARCHIVES = ("market_files", "asset_ctxs", "reservoir", "node_fills_by_block", "l2_books")


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    write_archive(WorldSpec(coins=3, accounts=60), 3, folder)
    return str(folder)


def settings(archive, lake, sources=ARCHIVES, **more):
    roots = dict.fromkeys(sources, archive)
    return settings_of({"lake": str(lake), "roots": roots, "run": {"grace": 0}} | more)


def days(lake):
    tables = ("positions", "snapshots", "fills", "candles", "asset_contexts", "order_books")
    with open_lake(lake) as con:
        return {
            table: {day for (day,) in con.sql(f"select distinct day from {table}").fetchall()}
            for table in tables
        }


@pytest.fixture(scope="module")
def night(archive, tmp_path_factory):
    """A lake after one night, and what came of it; for reading only."""
    lake = tmp_path_factory.mktemp("night") / "lake"
    done = run_plainly(job_of("nightly", settings(archive, lake), {"day": str(DAY)}, NOW))
    return lake, done


def test_a_night_lands_one_closed_day_of_everything(night):
    lake, done = night
    assert done.failed == {}
    assert set(map(frozenset, days(lake).values())) == {frozenset({DAY})}


def test_the_same_night_twice_leaves_the_same_bytes(archive, night, tmp_path):
    lake = tmp_path / "lake"
    shutil.copytree(night[0], lake)
    first = tree(lake), (lake / "_ledger/parts.parquet").read_bytes()
    run_plainly(job_of("nightly", settings(archive, lake), {"day": str(DAY)}, NOW))
    assert (tree(lake), (lake / "_ledger/parts.parquet").read_bytes()) == first


def test_after_a_night_a_day_is_one_file_a_table(night):
    files = [path for path in tree(night[0]) if path.endswith(".parquet")]
    assert len({path.partition("/")[0] for path in files}) == len(files) > 5


def test_after_a_night_maps_answer_from_what_was_binned(night, archive, tmp_path):
    """What is binned is of the files that the compaction left; a later change makes it anew."""
    said = "select sum(notional), count(*) from liquidation_map('BTC', $at)"
    at = {"at": datetime(2026, 1, 7, tzinfo=UTC)}
    lake = tmp_path / "lake"
    shutil.copytree(night[0], lake)
    with open_lake(lake) as con:
        assert con.sql("select distinct day from liquidation_levels").fetchall() == [(DAY,)]
        assert con.sql("from margin_errors limit 1").fetchall()
        binned = con.sql(said, params=at).fetchall()
    assert refresh(lake).days == []
    lines = as_parts(parts_of(Lake.at(lake), {DAY}))
    levels = [line.key for line in lines if line.table_name == "liquidation_levels"]
    change(Lake.at(lake), levels, lambda _: [])
    with open_lake(lake) as con:
        made = con.sql(said, params=at).fetchall()
    assert made == [(pytest.approx(binned[0][0]), binned[0][1])]
    (landed,) = bin_days(settings(archive, lake), [date(2026, 1, 5), DAY])
    assert landed.rows > 0
    assert bin_days(settings(archive, lake), [DAY])[0].rows == 0


def test_a_day_that_is_not_over_is_not_binned(night, archive, tmp_path, monkeypatch):
    asked = []

    def noted(lake, since, until, *_):
        asked.append((since.day, until.day))
        return Refreshed()

    monkeypatch.setattr(upkeep, "refresh", noted)
    bin_days(settings(archive, night[0]), [date(2026, 1, 2), date(2026, 1, 20)])
    assert asked == [(1, 5), (19, 21)]


def test_an_hour_bins_what_has_come_to_its_day_once_it_is_swept(tmp_path):
    lake = tmp_path / "lake"
    venue = {"lake": str(lake), "venue": {"url": "http://127.0.0.1:1"}}
    stages = hourly_stages(settings_of(venue), NOW)
    assert [[unit.kind for unit in stage] for stage in stages] == [
        ["sweep", "books"],
        ["marts"],
    ]
    (maps,) = stages[-1]
    assert [one.rows for one in maps.run()] == [0]
    times = [NOW - timedelta(days=1), NOW - timedelta(hours=1), NOW]
    for at in times:
        land_snapshot(lake, [position("BTC", 1, 1.0, 100.0, 80.0)], at)
        (landed,) = maps.run()
        assert landed.rows == (at > times[0])  # yesterday is the night's
    with open_lake(lake) as con:
        found = con.sql("select snapshot_ts from liquidation_levels order by all").fetchall()
    assert found == [(at,) for at in times[1:]]


def test_an_hour_that_is_tried_again_ends_when_it_would_have(monkeypatch):
    venue = {"venue": {"url": "http://127.0.0.1:1", "books": 0}}
    [sweep], _ = hourly_stages(settings_of(venue), datetime.now(UTC))
    given = []
    monkeypatch.setattr(venue_units, "sweep_now", lambda *_, **more: given.append(more["ends"]))
    verb = sweep.run.args[-1]
    verb()
    verb()
    left = given[0] - datetime.now(UTC)
    assert timedelta(minutes=49) < left <= timedelta(minutes=50)
    assert given[1] == given[0]
    monkeypatch.setattr(venue_units, "_now", lambda: given[0])
    with pytest.raises(SourceError, match=r"its time was over at \d\d:\d\d UTC, so it") as late:
        verb()
    assert not is_passing(late.value)


def test_what_has_no_root_is_not_read(archive, tmp_path):
    only = settings(archive, tmp_path, ["node_fills_by_block"])
    run_plainly(job_of("nightly", only, {"day": str(DAY)}, NOW))
    held = days(tmp_path)
    assert (held["fills"], held["positions"]) == ({DAY}, set())


def test_what_positions_need_is_landed_before_them():
    spent = spending(priced(settings("r", "l"), [(name, DAY) for name in ARCHIVES]), 5.0)
    stages = nightly_stages(settings("r", "l"), DAY, spent, NOW)
    assert [unit.name for unit in stages[0]] == [
        f"{name} {DAY}" for name in ("market_files", "asset_ctxs")
    ]
    upkeep = ["margin errors", "compaction", "marts", "checks"]
    assert [unit.kind for unit in stages[-1]] == upkeep
    assert {unit.lane for unit in stages[-1]} == {"upkeep"}


def test_a_unit_that_fails_does_not_stop_the_others(archive, tmp_path):
    roots = {"reservoir": str(tmp_path / "nowhere"), "node_fills_by_block": archive}
    quick = {"run": {"grace": 0}}
    broken = settings_of({"lake": str(tmp_path / "lake"), "roots": roots} | quick)
    done = run_plainly(job_of("nightly", broken, {"day": str(DAY)}, NOW))
    assert list(done.failed) == [f"reservoir {DAY}"]
    assert days(tmp_path / "lake")["fills"] == {DAY}
    with pytest.raises(JobError, match=r"nightly 2026-01-06: reservoir 2026-01-06: root .*now"):
        done.check(f"nightly {DAY}")


def test_yesterday_is_the_newest_closed_day():
    assert closed_day(datetime(2026, 3, 1, 0, 0, 1, tzinfo=UTC)) == date(2026, 2, 28)


def test_an_hour_asks_a_venue():
    with pytest.raises(SettingsError, match=r"hourly: the settings name no \[venue\]"):
        hourly_stages(settings("r", "l"), NOW)
    venue = {"venue": {"url": "http://127.0.0.1:1", "books": 0}}
    [sweep], _ = hourly_stages(settings_of(venue), NOW)
    assert (sweep.name, sweep.lane) == ("sweep", "venue")


def test_a_backfill_goes_the_way_it_is_told():
    newest = days_between(["a", "b"], date(2026, 1, 1), date(2026, 1, 3))
    assert newest[:2] == [("a", date(2026, 1, 2)), ("b", date(2026, 1, 2))]
    assert in_order(newest, "oldest")[:2] == [("a", date(2026, 1, 1)), ("b", date(2026, 1, 1))]
    with pytest.raises(ValueError, match="order random: must be one of newest, oldest"):
        in_order(newest, "random")


def test_a_backfill_asks_only_roots_that_are_named():
    asked = {"days": [["artemis", str(DAY)]]}
    with pytest.raises(SettingsError, match="backfill: artemis has no root; there are "):
        job_of("backfill", settings("r", "l"), asked, NOW)


@pytest.mark.slow
def test_a_backfill_lands_its_days_as_single_nights_do(archive, tmp_path):
    sources = ["reservoir", "node_fills_by_block"]
    wanted = days_between(sources, DAY, date(2026, 1, 8), "newest")
    asked = {"days": [[source, str(day)] for source, day in wanted]}
    run_plainly(job_of("backfill", settings(archive, tmp_path / "one", sources), asked, NOW))
    backwards = {"days": asked["days"][::-1]}
    run_plainly(
        job_of("backfill", settings(archive, tmp_path / "two", sources), backwards, NOW)
    )
    assert tree(tmp_path / "one") == tree(tmp_path / "two") != {}


def test_only_what_may_pass_is_tried_again():
    assert is_passing(ConnectionError("away"))
    assert is_passing(UnreachableError("away"))
    assert not is_passing(SourceError("bad file"))
    assert not is_passing(FileNotFoundError("no root"))


def test_progress_names_each_unit(capsys):
    seen = []
    units = [Unit(name, partial(list, [Landed(name)])) for name in "ab"]
    done = run_units(units, lambda *told: seen.append(told))
    assert seen == [("a", 0, 2), ("b", 1, 2), ("done", 2, 2)]
    assert [one.table for one in done.landed] == ["a", "b"]


@pytest.mark.slow
def test_what_was_not_there_before_lands_by_nights_alone(archive, tmp_path):
    """An archive that comes two days late, and a night that never ran."""
    late, lake = tmp_path / "archive", tmp_path / "lake"
    shutil.copytree(archive, late)
    (late / "simulated.json").unlink()  # made-up rows end where their lake ends
    away = late / "hydromancer-reservoir/by_dex/hyperliquid/snapshots/perp"
    hidden = {day: away / f"date=2026-01-0{day}" for day in (5, 6)}
    for day, folder in hidden.items():
        folder.rename(tmp_path / str(day))
    job = settings(str(late), lake, ["reservoir", "node_fills_by_block"])

    def night(day):
        due = datetime(2026, 1, day + 1, 2, 30, tzinfo=UTC)
        run_plainly(job_of("nightly", job, {}, due))

    night(5)
    assert days(lake)["positions"] == set()
    for day, folder in hidden.items():
        (tmp_path / str(day)).rename(folder)
    night(7)  # of the 6th there was none
    wanted = {date(2026, 1, day) for day in (5, 6, 7)}
    assert (days(lake)["positions"], days(lake)["fills"]) == (wanted, wanted)


def test_a_night_that_nobody_answers_is_in_the_ledger(tmp_path, monkeypatch):
    monkeypatch.setattr(client, "FIRST_WAIT", 0.01)
    venue = {"url": "http://127.0.0.1:9", "leaderboard": "", "books": 0}
    job = settings_of({"lake": str(tmp_path), "venue": venue, "run": {"grace": 0}})
    with guarded(tmp_path):  # a lake, empty yet
        pass
    done = run_plainly(job_of("nightly", job, {"day": str(DAY)}, NOW))
    assert len(done.failed) == 3
    with open_lake(tmp_path) as con:
        failed = con.sql(
            "select distinct table_name, outcome from asks order by all"
        ).fetchall()
    assert {("candles", "failed"), ("funding", "failed")} <= set(failed)
