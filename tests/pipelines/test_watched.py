"""Nobody looks at a job, so it calls: of what, how often, and what it never says."""

import json
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest

from pipelines.jobs.job import job_of, run_plainly
from pipelines.jobs.troubles import LENGTH, MOST, message, trouble
from pipelines.jobs.units import JobError, Unit, run_units
from pipelines.jobs.upkeep import STOPS
from pipelines.jobs.watched import HEALTH, Watch
from pipelines.landed import Landed, PartlyLanded
from pipelines.settings import settings_of
from pipelines.sources.errors import SourceError
from pipelines.steps.cost import TooDear
from tests.hook import SECRET, a_hook
from tests.rows import batch, snapshot
from warehouse.checks import guarded
from warehouse.contracts.tables import SNAPSHOTS
from warehouse.health.alarms import WEBHOOK
from warehouse.store import Lake, NoLake, land
from warehouse.store.asks import ALL_DAY, Ask, asks_of

NOW = datetime.now(UTC)
KEY = "s3://AKIAHOSTILE:s3cr3t@bucket/lake?token=tok3n"


@pytest.fixture
def hook(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with a_hook() as server:
        monkeypatch.setenv(WEBHOOK, server.url)
        yield server


@pytest.fixture
def lake(tmp_path):
    rows = [snapshot(NOW, source="friend")]
    land(tmp_path, SNAPSHOTS, batch(SNAPSHOTS, rows), "friend-1")
    return tmp_path


def settings(lake, **more):
    return settings_of({"lake": str(lake), "roots": {"reservoir": "nowhere"}} | more)


def fails(error):
    raise error


def run(lake, verbs, job="nightly", **more):
    """Run verbs, or raise errors, as a job does, and return what came of them."""
    units = [
        Unit(name, partial(fails, verb) if isinstance(verb, Exception) else verb)
        for name, verb in verbs.items()
    ]
    with Watch(job, settings(lake, **more)) as watch:
        done = run_units(units)
        watch.close(job, units, done)
    return done


def told(hook):
    """Return what the only message says: kind, place and reason of each trouble."""
    ((_, said),) = hook.told
    return [(one["what"], one["where"], one["why"]) for one in said["troubles"]]


def test_a_run_that_went_well_says_nothing(lake, hook):
    run(lake, {"reservoir 2026-01-05": list, "checks 2026-01-05": list})
    assert hook.told == []


def test_each_failed_unit_is_told_with_what_to_do_in_one_message(lake, hook):
    run(lake, {"reservoir 2026-01-05": SourceError("cut"), "sweep": ConnectionError("away")})
    assert told(hook) == [
        ("failed", "reservoir 2026-01-05", "cut"),
        ("failed", "sweep", "away"),
    ]
    ((_, said),) = hook.told
    assert (said["job"], said["lake"], said["more"]) == ("nightly", str(lake), 0)
    assert all("undertow gaps" in one["do"] for one in said["troubles"])
    assert "failed: reservoir 2026-01-05: cut" in said["text"]
    assert len(said["text"]) < 1000


def test_what_is_too_dear_says_what_to_raise(lake, hook):
    run(lake, {"reservoir 2026-01-05": TooDear("would cost about $7.20")})
    assert told(hook) == [("too dear", "reservoir 2026-01-05", "would cost about $7.20")]
    assert "run.max_usd" in hook.told[0][1]["text"]


def lands_twice(lake):
    """Land a batch that no check lets pass: two rows of one grain."""
    with guarded(lake) as batches:
        for part in "ab":
            batches.land(SNAPSHOTS, batch(SNAPSHOTS, [snapshot(NOW)]), part)
    return []


def test_a_blocked_batch_is_told_apart_from_what_failed(lake, hook):
    run(lake, {"sweep": partial(lands_twice, lake)})
    ((what, where, why),) = told(hook)
    assert (what, where) == ("blocked", "sweep")
    assert "one_row_per_grain" in why
    assert "incidents" in hook.told[0][1]["troubles"][0]["do"]


def test_a_blocked_hour_among_others_is_one_too(lake, hook):
    ask = Ask("fills", "node_fills", date(2026, 1, 5), 3, "blocked", "two rows")
    late = PartlyLanded("hour 3: two rows", [Landed("fills", rows=7, asked=[ask])])
    done = run(lake, {"node_fills": late})
    assert told(hook) == [("blocked", "node_fills", "hour 3: two rows")]
    assert done.landed[0].rows == 7


def test_what_checks_would_have_stopped_is_told_and_warnings_are_not(lake, hook):
    notes = ["candles: odd", f"{STOPS}fills: twice", f"{STOPS}fills: thrice"]
    run(lake, {"checks": partial(list, [Landed("incidents", notes=notes)])})
    assert told(hook) == [("found", "the lake's rows", "fills: twice (and 1 more)")]


def test_damaged_files_are_told(lake, hook):
    damaged = [Landed("parts", notes=["compaction: fills/day=2026-01-05/a.parquet: cut"])]
    run(lake, {"compaction": partial(list, damaged)})
    assert told(hook)[0][0] == "damaged"


def test_a_job_that_finds_no_lake_is_told(tmp_path, hook):
    run(tmp_path / "nowhere", {"reservoir": list})
    assert told(hook) == [
        ("no lake", str(tmp_path / "nowhere"), "after the run there is no lake")
    ]
    assert "mounted" in hook.told[0][1]["text"]


@pytest.mark.parametrize(
    ("error", "what"), [(NoLake("no lake at x"), "no lake"), (KeyError("odd"), "died")]
)
def test_a_run_that_dies_is_told_and_dies_all_the_same(lake, hook, error, what):
    with pytest.raises(type(error)), Watch("nightly", settings(lake)):
        raise error
    assert [one[0] for one in told(hook)] == [what]


def test_one_whose_settings_cannot_be_read_is_told_too(hook):
    with pytest.raises(ValueError, match="bad"), Watch("hourly"):
        raise ValueError("bad key")
    assert told(hook) == [("died", "hourly", "bad key")]


def test_who_stops_a_run_needs_no_message(lake, hook):
    with pytest.raises(KeyboardInterrupt), Watch("nightly", settings(lake)):
        raise KeyboardInterrupt
    assert hook.told == []


def swept(lake, trusted, failed=0):
    row = snapshot(
        NOW, source="info", trusted=trusted, accounts_asked=10, accounts_failed=failed
    )
    land(lake, SNAPSHOTS, batch(SNAPSHOTS, [row]), "info-1")
    return []


def test_a_sweep_that_is_not_trusted_is_told_once(lake, hook):
    run(lake, {"sweep": partial(swept, lake, False, 4)}, "hourly")
    assert told(hook) == [
        ("not trusted", "sweep of info, hyperliquid", "4 of 10 accounts did not answer")
    ]
    run(lake, {"sweep": list}, "hourly")  # the sweep before is no news
    assert len(hook.told) == 1


def test_a_trusted_sweep_is_not_told(lake, hook):
    run(lake, {"sweep": partial(swept, lake, True)}, "hourly")
    assert hook.told == []


def test_a_field_nobody_knows_is_told_the_first_time(lake, hook):
    met = [Landed("fills", unknown_fields={"mood": 3})]
    for _ in range(3):
        run(lake, {"node_fills 2026-01-05": partial(list, met)})
    assert told(hook) == [("new field", "node_fills", "mood")]


def test_what_is_stale_is_told_by_a_night_and_said(lake, hook):
    rows = [snapshot(NOW - timedelta(days=9), source="reservoir")]
    land(lake, SNAPSHOTS, batch(SNAPSHOTS, rows), "reservoir-1")
    done = run(lake, {"checks": list})
    ((what, where, why),) = told(hook)
    assert (what, where) == ("stale", "snapshots of reservoir")
    assert "216." in why
    assert "h old" in why
    assert done.units[HEALTH][0].notes == [f"stale: {why}"]


@pytest.mark.parametrize("how", ["refuses", "is away", "is none"])
def test_a_webhook_that_does_not_answer_fails_nothing_and_is_said(lake, hook, monkeypatch, how):
    hook.status = 500
    urls = {"refuses": hook.url, "is away": f"http://127.0.0.1:1/{SECRET}", "is none": SECRET}
    monkeypatch.setenv(WEBHOOK, urls[how])
    done = run(lake, {"reservoir": SourceError("cut")})
    (note,) = done.units[HEALTH][0].notes
    assert note.startswith("webhook")
    assert SECRET not in note
    with pytest.raises(JobError, match="reservoir: cut"):
        done.check("nightly")


def test_a_message_holds_no_secret(lake, hook):
    run(lake, {KEY: SourceError(f"{KEY}/a.lz4: cut\n at 7")})
    text = json.dumps(hook.told[0][1])
    assert "s3://bucket/lake/a.lz4: cut at 7" in text or "s3://bucket/lake: cut" in text
    assert not any(word in text for word in ("AKIA", "s3cr3t", "tok3n", SECRET))


def test_a_message_is_short_however_much_is_wrong():
    found = [trouble("failed", f"unit {number}", "x" * 9_000) for number in range(100)]
    said = message("nightly", "lake", found, NOW)
    assert (len(said["troubles"]), said["more"]) == (MOST, 100 - MOST)
    assert all(len(one["why"]) == LENGTH + 1 for one in said["troubles"])
    assert "… and 92 more" in said["text"]
    assert len(json.dumps(said)) < 8_000


def test_without_a_webhook_the_run_says_it_alone(lake, monkeypatch):
    monkeypatch.delenv(WEBHOOK, raising=False)
    done = run(lake, {"reservoir": SourceError("cut")})
    assert done.units[HEALTH][0].notes == []
    assert list(done.failed) == ["reservoir"]


def test_a_lake_that_does_not_answer_hides_no_failure(lake, hook, monkeypatch):
    def away(*_):
        raise OSError("bucket away")

    monkeypatch.setattr("pipelines.jobs.watched.remember", away)
    run(lake, {"reservoir": SourceError("cut")})
    assert [one[0] for one in told(hook)] == ["failed", "no lake"]


def test_a_dead_venue_is_told_by_an_hour_and_noted_for_it(lake, hook, monkeypatch):
    monkeypatch.setattr("pipelines.sources.info.client.FIRST_WAIT", 0.01)
    venue = {"url": "http://127.0.0.1:9", "leaderboard": "", "books": 3, "listen_seconds": 0.0}
    chosen = settings(lake, venue=venue)
    with Watch("hourly", chosen) as watch:
        job = job_of("hourly", chosen, {}, NOW)
        done = run_plainly(job)
        watch.close(job.name, job.units, done)
    assert [one[:2] for one in told(hook)] == [("failed", "sweep"), ("failed", "books")]
    noted = {(row["table_name"], row["hour"]) for row in asks_of(Lake.at(lake)).to_pylist()}
    tables = ("positions", "snapshots", "asset_contexts", "order_books")
    assert noted == {(table, NOW.hour) for table in tables}
    assert ALL_DAY not in {hour for _, hour in noted}
