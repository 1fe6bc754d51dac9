"""How old the newest rows are, what is too old, and who is told."""

import json
import socket
import threading
import traceback
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.rows import batch, snapshot
from warehouse.contracts.tables import SNAPSHOTS
from warehouse.health.alarms import AlarmError, post_alarm
from warehouse.health.cadences import DAY, HOUR, Cadence, by_table_and_source, cadences
from warehouse.health.freshness import ages_in, ages_of, alarm_of, allowed_age
from warehouse.store import Lake, NoLake, land

D0 = datetime(2026, 1, 5, tzinfo=UTC)
SECRET = "T0KEN-of-the-webhook"
HOURLY = Cadence("node", ("fills",), HOUR, after=timedelta(minutes=122))
KEY = ("fills", "node")


def part(number, revision=1, day=D0, minutes=59):
    start = day + number * HOUR
    return {
        "table_name": "fills",
        "source": "node",
        "day": start.date(),
        "part": f"node-{start:%H}",
        "revision": revision,
        "min_ts": start,
        "max_ts": start + timedelta(minutes=minutes),
    }


def age(parts, now, max_age=None, cadence=HOURLY):
    (one,) = ages_of(parts, {KEY: cadence}, now, max_age)
    return one


def test_age_is_counted_from_the_newest_event():
    one = age([part(3), part(5), part(4)], D0 + 8 * HOUR)
    assert (one.newest_ts, one.age) == (
        D0 + timedelta(hours=5, minutes=59),
        timedelta(minutes=121),
    )
    assert not one.stale


def test_a_backfill_of_the_past_makes_nothing_fresh():
    now = D0 + 10 * DAY
    old = age([part(3)], now)
    more = age([part(3), *(part(hour, day=D0 - 30 * DAY) for hour in range(24))], now)
    assert old.stale
    assert (more.age, more.stale) == (old.age, True)


def test_it_may_be_as_old_as_what_should_have_been_landed_by_now():
    now = D0 + 3 * DAY
    allowed = allowed_age(HOURLY, now)
    assert not age([part(0, day=now - allowed, minutes=0)], now).stale
    assert age([part(-1, day=now - allowed)], now).stale


@pytest.mark.parametrize("source", sorted({one.source for one in cadences()}))
def test_a_lake_whose_jobs_run_is_never_stale(source):
    """What a job may have when it runs is landed, and nothing until it runs again.

    A night at 02:30 UTC; an hour at five past, but for those in which the night runs.
    """
    for cadence in cadences():
        if cadence.source != source or cadence.last is not None:
            continue
        for hour in range(0, 24 * 70, 5):
            now = D0 + hour * HOUR
            if cadence.job == "hourly":
                start = now - HOUR if not 2 < now.hour < 6 else now.replace(hour=2)
            else:
                night = now.replace(hour=2, minute=30)
                night = night if night <= now else night - DAY
                start = night.replace(hour=0, minute=0)
                while cadence.published(start) > night:
                    start -= cadence.every
            row = {"table_name": "fills", "source": source, "day": start.date(), "part": "x"}
            row |= {"revision": 1, "min_ts": start, "max_ts": start}
            (one,) = ages_of([row], {("fills", source): cadence}, now)
            assert not one.stale, (now, start)


def test_an_hourly_job_that_died_is_stale_within_seven_hours():
    cadence = by_table_and_source()["snapshots", "info"]
    row = {"table_name": "snapshots", "source": "info", "day": D0.date(), "part": "x"}
    row |= {"revision": 1, "min_ts": D0, "max_ts": D0 + timedelta(minutes=7)}

    def stale(hours):
        key = "snapshots", "info"
        return ages_of([row], {key: cadence}, D0 + hours * HOUR)[0].stale

    assert next(hours for hours in range(24) if stale(hours)) == 7
    assert not stale(5)


def test_a_missed_night_is_seen_before_the_next_but_one():
    for source, since in (("node_fills_by_block", 1), ("reservoir", 2)):
        cadence = next(one for one in cadences() if one.source == source)
        newest = D0 - since * DAY
        row = {"table_name": "fills", "source": source, "day": newest.date(), "part": "x"}
        row |= {"revision": 1, "min_ts": newest, "max_ts": newest + DAY - timedelta(seconds=1)}
        # Landed on the night of D0; the two nights after it fail.
        (one,) = ages_of([row], {("fills", source): cadence}, D0 + 2 * DAY + 6 * HOUR)
        assert one.stale


def test_the_allowed_age_may_be_given():
    now = D0 + 30 * HOUR
    assert not age([part(5)], now, timedelta(hours=26)).stale
    assert age([part(5)], now, timedelta(hours=24)).stale
    assert not age([part(5)], now, age([part(5)], now).age).stale


def test_what_a_correction_took_back_no_longer_counts():
    one = age([part(5), part(5, revision=2, minutes=10)], D0 + 8 * HOUR)
    assert one.newest_ts == D0 + timedelta(hours=5, minutes=10)


def test_an_event_of_the_future_does_not_look_fresh():
    now = D0 + 3 * DAY
    one = age([part(5), part(5, day=D0 + 90 * DAY)], now)
    assert (one.newest_ts, one.stale) == (D0 + timedelta(hours=5, minutes=59), True)
    one = age([part(5, day=D0 + 90 * DAY)], now)
    assert (one.newest_ts, one.age, one.stale) == (None, None, True)


def test_a_source_that_has_ended_is_never_stale():
    ended = Cadence("node", ("fills",), HOUR, after=2 * HOUR, last=D0)
    one = age([part(0)], D0 + 400 * DAY, timedelta(hours=1), ended)
    assert (one.allowed, one.stale) == (None, False)


def test_the_newest_complete_day_is_the_newest_of_which_all_is_there():
    parts = [part(hour, day=D0 + day * DAY) for day in range(3) for hour in range(24)]
    now = D0 + 3 * DAY
    assert age(parts, now).complete_day == date(2026, 1, 7)
    assert age(parts[:-1], now).complete_day == date(2026, 1, 6)
    assert age(parts[:5], now).complete_day is None


def test_the_day_a_source_begins_on_is_complete_with_what_there_is():
    late = Cadence("node", ("fills",), HOUR, after=2 * HOUR, first=D0 + 8 * HOUR)
    parts = [part(hour) for hour in range(8, 24)]
    assert age(parts, D0 + 2 * DAY, cadence=late).complete_day == D0.date()


def test_of_a_lake_every_followed_source_is_told(tmp_path):
    rows = [snapshot(D0, source="reservoir")]
    land(tmp_path, SNAPSHOTS, batch(SNAPSHOTS, rows), "reservoir-all-1")
    (one,) = ages_in(Lake.at(tmp_path), D0 + 9 * DAY)
    assert (one.table_name, one.source, one.age, one.stale) == (
        "snapshots",
        "reservoir",
        9 * DAY,
        True,
    )
    with pytest.raises(NoLake):
        ages_in(Lake.at(tmp_path / "nowhere"), D0)


def test_an_alarm_says_what_is_stale_and_how_old_it_may_be(tmp_path):
    lake, now = Lake.at(tmp_path), D0 + 9 * DAY
    ages = ages_of([part(0)], {KEY: HOURLY}, now, timedelta(hours=26))
    alarm = json.loads(json.dumps(alarm_of(ages, lake, now)))
    assert alarm["what"] == "stale"
    assert alarm["stale"] == [
        {
            "table": "fills",
            "source": "node",
            "newest_ts": "2026-01-05T00:59:00Z",
            "age_hours": 215.0,
            "allowed_hours": 26.0,
            "complete_day": None,
        }
    ]
    assert "fills of node: 215.0 h old, allowed are 26.0 h" in alarm["text"]
    assert alarm_of(ages_of([part(0)], {KEY: HOURLY}, D0 + 2 * HOUR), lake, D0) is None


def test_a_lake_without_anything_that_could_be_fresh_is_an_alarm(tmp_path):
    assert alarm_of([], Lake.at(tmp_path), D0)["stale"] == []


@pytest.fixture
def hook(monkeypatch):
    """Run a webhook on loopback; it answers with ``status`` and keeps what it was told."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.append((self.path, self.headers["Content-Type"], json.loads(body)))
            self.send_response(server.status)
            if server.status == 302:
                self.send_header("Location", f"/elsewhere/{SECRET}")
            self.end_headers()

        do_GET = do_POST

        def log_message(self, *_):
            pass

    told = []
    server = HTTPServer(("127.0.0.1", 0), Hook)
    server.status, server.told = 204, told
    server.url = f"http://127.0.0.1:{server.server_port}/{SECRET}?key={SECRET}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_webhook_is_told_as_json(hook):
    post_alarm(hook.url, {"what": "stale"})
    assert hook.told == [(f"/{SECRET}?key={SECRET}", "application/json", {"what": "stale"})]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_webhook_that_fails_is_named_by_its_host_only(hook, status):
    hook.status = status
    with pytest.raises(AlarmError) as refused:
        post_alarm(hook.url, {})
    assert str(refused.value) == f"webhook 127.0.0.1: answered with status {status}"
    assert len(hook.told) == 1


@pytest.mark.parametrize(
    "url",
    [
        f"http://127.0.0.1:1/{SECRET}",
        f"http://me:{SECRET}@127.0.0.1:1/",
        f"https://127.0.0.1:1/{SECRET}",
        f"http://127.0.0.1:99999/{SECRET}",
        f"http://127.0.0.1:1/{SECRET} with spaces\n",
        f"http://127.0.0.1:1/ü{SECRET}",
        f"ftp://127.0.0.1/{SECRET}",
        f"file:///etc/{SECRET}",
        f"http://[{SECRET}",
        f"http:///{SECRET}",
        SECRET,
    ],
)
def test_no_address_of_a_webhook_gives_its_secret_away(url, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(AlarmError) as refused:
        post_alarm(url, {}, patience=2)
    said = str(refused.value)
    assert SECRET not in said
    assert len(said.splitlines()) == 1
    assert SECRET not in "".join(traceback.format_exception(refused.value))


def test_a_webhook_that_never_answers_is_given_up(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/{SECRET}"
        with pytest.raises(AlarmError, match=r"webhook 127\.0\.0\.1: TimeoutError"):
            post_alarm(url, {}, patience=0.2)
