"""`undertow gaps` and `check --freshness` as a person, a job and a webhook meet them."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from tests.hook import SECRET, a_hook
from tests.rows import batch, snapshot
from warehouse.contracts.tables import SNAPSHOTS
from warehouse.store import Lake, land
from warehouse.store.asks import ALL_DAY, Ask, record

DAY = timedelta(days=1)


def land_days(lake, days, source="reservoir"):
    """Land snapshots of noon on each day, each a batch of its own."""
    for day in days:
        rows = [snapshot(day + DAY / 2, source=source)]
        land(lake, SNAPSHOTS, batch(SNAPSHOTS, rows), f"{source}-all-{day:%Y%m%d}")


@pytest.fixture(scope="module")
def today():
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@pytest.fixture(scope="module")
def holed(tmp_path_factory, today):
    """Make a lake that lacks days for every reason: 7 to 4 days before today, and newer."""
    lake = tmp_path_factory.mktemp("holed")
    land_days(lake, [today - number * DAY for number in (9, 8, 3)])
    said = {7: ("absent", "no file"), 6: ("failed", "cut short"), 5: ("blocked", "two rows")}
    asks = [
        Ask("snapshots", "reservoir", (today - number * DAY).date(), ALL_DAY, *outcome)
        for number, outcome in said.items()
    ]
    record(Lake.at(lake), asks, today)
    return lake


def run(*args, lake, **environment):
    command = [sys.executable, "-m", "undertow", *args, "--lake", str(lake)]
    settings = {name: value for name, value in os.environ.items() if name != "UNDERTOW_WEBHOOK"}
    settings |= {"NO_PROXY": "127.0.0.1"} | environment
    return subprocess.run(command, capture_output=True, text=True, env=settings)


def days_before(today, text):
    return (today - datetime.fromisoformat(text).replace(tzinfo=UTC)) // DAY


def test_gaps_say_what_is_missing_and_why(holed, today):
    done = run("gaps", "--json", lake=holed)
    assert done.returncode == 0, done.stderr
    told = {days_before(today, row["day"]): row for row in json.loads(done.stdout)}
    assert {number: told[number]["reason"] for number in (7, 6, 5, 4)} == {
        7: "missing at source",
        6: "failed",
        5: "blocked",
        4: "never asked",
    }
    assert told[1]["reason"] in {"not yet published", "never asked"}  # it is out at 01:00 UTC
    assert told[6]["why"] == "cut short"
    assert list(told[7]) == [
        "table",
        "source",
        "day",
        "reason",
        "missing",
        "there",
        "expected",
        "hours",
        "why",
    ]


def test_gaps_as_a_table(holed):
    done = run("gaps", lake=holed)
    assert done.returncode == 0
    for word in ("missing at source", "failed", "cut short", "blocked", "never asked"):
        assert word in done.stdout
    assert "batches missing on" in done.stderr


def test_gaps_may_be_held_to_account(holed, today):
    assert run("gaps", "--strict", lake=holed).returncode == 1
    whole = (f"--from={today - 9 * DAY:%Y-%m-%d}", f"--to={today - 7 * DAY:%Y-%m-%d}")
    done = run("gaps", "--strict", "--json", *whole, lake=holed)
    assert (done.returncode, json.loads(done.stdout)) == (0, [])


def test_a_known_hole_is_a_fact_and_no_failure(tmp_path):
    start = datetime(2025, 10, 26, tzinfo=UTC)
    land_days(tmp_path, [start, start + DAY, datetime(2025, 12, 15, tzinfo=UTC)])
    bounds = ("--from", "2025-10-26", "--to", "2025-12-16")
    done = run("gaps", "--strict", "--json", *bounds, lake=tmp_path)
    rows = json.loads(done.stdout)
    assert (done.returncode, len(rows)) == (0, 48)
    assert {row["reason"] for row in rows} == {"known hole"}
    assert "docs.hydromancer.xyz" in rows[0]["why"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--table", "snapshot"), "--table snapshot is not known; known are"),
        (("--source", "x"), "--source x is not known"),
        (("--from", "2026-01-02", "--to", "2026-01-02"), "must be before --to"),
        (("--from", "yesterday"), "yesterday"),
        (("--from", "0001-01-01"), "years are 2000 to 2199"),
    ],
)
def test_wrong_bounds_of_gaps_are_one_line(holed, args, said):
    done = run("gaps", *args, lake=holed)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_gaps_of_one_source_only(holed):
    done = run("gaps", "--source", "node_fills", "--json", lake=holed)
    assert (done.returncode, json.loads(done.stdout)) == (0, [])


@pytest.mark.parametrize("verb", [("gaps",), ("check", "--freshness")])
def test_where_there_is_no_lake_nothing_is_whole(tmp_path, verb):
    done = run(*verb, lake=tmp_path / "nowhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no lake at" in done.stderr


def test_a_fresh_lake_is_fresh(tmp_path, today):
    land_days(tmp_path, [today - DAY * 1.5, today - DAY * 0.75])
    done = run("check", "--freshness", "--json", lake=tmp_path)
    (row,) = json.loads(done.stdout)
    assert (done.returncode, row["state"], row["source"]) == (0, "fresh", "reservoir")
    assert 0 < row["age_hours"] < 40


def test_an_old_lake_is_stale_whenever_it_was_landed(holed):
    """All of it was received a moment ago."""
    done = run("check", "--freshness", "--max-age", "26h", "--json", lake=holed)
    (row,) = json.loads(done.stdout)
    assert (done.returncode, row["state"], row["allowed_hours"]) == (1, "stale", 26.0)
    assert "stale: snapshots of reservoir: " in done.stderr
    assert run("check", "--freshness", "--max-age", "5d", lake=holed).returncode == 0


def test_an_empty_lake_is_not_fresh(tmp_path):
    done = run("check", "--freshness", lake=tmp_path)
    assert done.returncode == 1
    assert "holds nothing that could be fresh" in done.stderr


def test_of_a_table_that_is_asked_for_there_must_be_something(tmp_path, today):
    land_days(tmp_path, [today - DAY * 0.75])
    assert run("check", "--freshness", "--table", "snapshots", lake=tmp_path).returncode == 0
    done = run("check", "--freshness", "--table", "fills", lake=tmp_path)
    assert done.returncode == 1
    assert "fills holds nothing" in done.stderr


@pytest.mark.parametrize(
    "args",
    [
        ("--freshness", "--max-age", "soon"),
        ("--freshness", "--max-age", "0h"),
        ("--freshness", "--max-age=-3h"),
        ("--freshness", "--table", "positons"),
        ("--freshness", "--from", "2026-01-01"),
        ("--max-age", "26h"),
    ],
)
def test_misuse_of_check_is_status_2(holed, args):
    done = run("check", *args, lake=holed)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)


@pytest.fixture
def hook():
    with a_hook() as server:
        yield server


def stale(lake, url):
    return run(
        "check", "--freshness", "--max-age=26h", "--json", lake=lake, UNDERTOW_WEBHOOK=url
    )


def test_a_webhook_is_told_what_is_stale(holed, hook):
    done = stale(holed, hook.url)
    assert done.returncode == 1
    ((path, alarm),) = hook.told
    assert path == f"/{SECRET}"
    (row,) = alarm["stale"]
    assert (row["table"], row["source"], row["allowed_hours"]) == (
        "snapshots",
        "reservoir",
        26.0,
    )
    assert row["age_hours"] > 48
    assert (alarm["what"], alarm["lake"]) == ("stale", str(holed))


def test_of_what_is_fresh_a_webhook_hears_nothing(tmp_path, today, hook):
    land_days(tmp_path, [today - DAY * 0.75])
    done = run("check", "--freshness", lake=tmp_path, UNDERTOW_WEBHOOK=hook.url)
    assert (done.returncode, hook.told) == (0, [])


@pytest.mark.parametrize("how", ["refuses", "is away", "is none"])
def test_a_webhook_that_fails_hides_neither_the_rows_nor_the_status(holed, hook, how):
    hook.status = 403
    urls = {
        "refuses": hook.url,
        "is away": f"http://127.0.0.1:1/{SECRET}",
        "is none": f"htp:/{SECRET}",
    }
    done = stale(holed, urls[how])
    assert done.returncode == 1
    assert json.loads(done.stdout)[0]["state"] == "stale"
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("webhook")]
    expected = {
        "refuses": "webhook 127.0.0.1: answered with status 403",
        "is away": "webhook 127.0.0.1: ConnectionRefusedError",
        "is none": "webhook: UNDERTOW_WEBHOOK must be an http(s) address",
    }
    assert line == expected[how]


def test_the_secret_of_a_webhook_is_nowhere(holed, hook):
    for url, status in ((hook.url, 200), (hook.url, 500), (f"http://127.0.0.1:1/{SECRET}", 0)):
        hook.status = status or 200
        done = stale(holed, url)
        assert SECRET not in done.stdout + done.stderr
    assert all(SECRET not in json.dumps(alarm) for _, alarm in hook.told)
    for file in holed.rglob("*"):
        assert not file.is_file() or SECRET.encode() not in file.read_bytes()
    parts = json.loads(run("sql", "from parts", "--json", lake=holed).stdout)
    asks = json.loads(run("sql", "from asks", "--json", lake=holed).stdout)
    assert parts
    assert asks
    assert SECRET not in json.dumps([parts, asks])
