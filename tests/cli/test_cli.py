"""The command line as a user meets it: its output and its exit status."""

import json
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.cli.inside import refused, run
from tests.rows import T0, land_snapshot, position


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    lake = tmp_path_factory.mktemp("lake")
    rows = [
        position(holder=1, size=2.0, liquidation_px=95.0),
        position(holder=2, size=-1.0, liquidation_px=104.0),
        position(holder=3, size=1.0),
        position("ETH", holder=1, size=5.0, mark_px=10.0, liquidation_px=9.0),
    ]
    land_snapshot(lake, rows, known_after=timedelta(hours=25))
    return lake


def started(*args, lake):
    """Run the command in a process of its own."""
    command = [sys.executable, "-m", "undertow", *args, "--lake", str(lake)]
    return subprocess.run(command, capture_output=True, text=True)


def test_map_as_json(lake):
    done = run("map", "BTC", "--at", "2026-01-02T06:00Z", "--json", lake=lake)
    assert done.returncode == 0
    rows = json.loads(done.stdout)
    assert [(row["side"], row["notional"], row["positions"]) for row in rows] == [
        ("long", 190.0, 1),
        ("short", 104.0, 1),
    ]
    assert {row["snapshot_ts"] for row in rows} == {"2026-01-02T00:00:00Z"}
    assert "6 h 00 min older" in done.stderr
    assert "3 positions, 1 of them without a liquidation price" in done.stderr


def test_map_as_a_table(lake):
    done = run("map", "BTC", "--at", "2026-01-02T06:00Z", lake=lake)
    assert done.returncode == 0
    assert [
        word
        for word in ("side", "px_low", "notional", "long", "short")
        if word not in done.stdout
    ] == []


def test_scenarios_as_json(lake):
    done = run(
        "scenarios", "BTC", "--at", "2026-01-02T00:00Z", "--pct", "4,5", "--json", lake=lake
    )
    rows = json.loads(done.stdout)
    assert [(row["direction"], row["pct"], row["notional"]) for row in rows] == [
        ("down", 4, 0.0),
        ("down", 5, 190.0),
        ("up", 4, 104.0),
        ("up", 5, 104.0),
    ]


def test_sql(lake):
    query = "from liquidation_clusters('ETH', timestamptz '2026-01-03 00:00:00+00')"
    done = run("sql", query, lake=lake)
    assert done.returncode == 0
    assert "ETH" in done.stdout
    done = run("sql", query, "--json", lake=lake)
    assert json.loads(done.stdout)[0]["notional"] == 45.0


def test_a_long_text_is_cut_in_a_table_and_whole_for_programs(lake):
    query = "select repeat('ab ', 50) as long, 'short' as brief, range(99) as many"
    done = run("sql", query, lake=lake)
    assert max(map(len, done.stdout.splitlines())) < 240
    assert "ab ab ab …" in done.stdout
    assert "texts are cut to 100 characters; --json has them whole" in done.stderr
    whole = json.loads(run("sql", query, "--json", lake=lake).stdout)[0]
    assert whole["long"] == "ab " * 50
    assert whole["many"] == list(range(99))
    assert "cut" not in run("sql", "select 'brief' as a", lake=lake).stderr


def test_the_lake_may_come_from_the_environment(lake, monkeypatch):
    monkeypatch.setenv("UNDERTOW_LAKE", str(lake))
    assert json.loads(run("sql", "select 1 as one", "--json").stdout) == [{"one": 1}]


def test_before_the_first_snapshot_there_are_no_rows_and_a_reason(lake):
    done = run("map", "BTC", "--at", "2025-06-01T00:00Z", "--json", lake=lake)
    assert (done.returncode, json.loads(done.stdout)) == (0, [])
    assert "2025-06-01 00:00Z is before the first snapshot, 2026-01-02 00:00Z" in done.stderr


def test_a_dex_without_a_snapshot_is_said(tmp_path):
    land_snapshot(tmp_path, [position("xyz:TSLA")])
    done = run("map", "xyz:TSLA", "--at", "2026-01-02T06:00Z", "--json", lake=tmp_path)
    assert json.loads(done.stdout) == []
    assert "the lake holds no snapshot that covers the dex xyz" in done.stderr


def test_a_coin_of_another_day_is_known(tmp_path):
    land_snapshot(tmp_path, [position("OLD")], T0 - timedelta(days=3))
    land_snapshot(tmp_path, [position("BTC")])
    done = run("map", "OLD", "--at", "2026-01-02T06:00Z", "--json", lake=tmp_path)
    assert (done.returncode, json.loads(done.stdout)) == (0, [])
    assert "it holds no position in OLD" in done.stderr


def test_what_was_not_published_does_not_answer(lake):
    at = ("--at", "2026-01-02T12:00Z", "--knowable", "--json")
    done = run("scenarios", "BTC", *at, lake=lake)
    assert (done.returncode, json.loads(done.stdout)) == (0, [])
    assert "no snapshot was published by 2026-01-02 12:00Z" in done.stderr
    assert "known at 2026-01-03 01:00Z" in done.stderr


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (
            ("map", "BTX", "--at", "2026-01-02T06:00Z"),
            "coin 'BTX' is not known by then; of 2 that are, near it: BTC, ETH",
        ),
        (
            ("map", "btc", "--at", "2026-01-02T06:00Z"),
            "coin 'btc' is not known by then; of 2 that are, near it: BTC, ETH",
        ),
        (("map", "BTC", "--at", "2026-01-02T06:00"), "has no time zone; if it is UTC,"),
        (("map", "BTC", "--at", "yesterday"), "'yesterday' is no moment; write it as"),
        (("map", "BTC"), "Missing option '--at'"),
        (
            ("map", "BTC", "--at", "2026-01-02T06:00Z", "--width", "0"),
            "width_pct 0.0 is not allowed",
        ),
        (("map", "BTC", "--at", "2026-01-02T06:00Z", "--width", "nan"), "width_pct"),
        (
            ("scenarios", "BTC", "--at", "2026-01-02T06:00Z", "--pct", "0"),
            "whole numbers from 1 to 50",
        ),
        (
            ("scenarios", "BTC", "--at", "2026-01-02T06:00Z", "--pct", "5,x"),
            "--pct 'x' is not allowed",
        ),
        (
            ("scenarios", "BTC", "--at", "2026-01-02T06:00Z", "--pct", "2.5"),
            "--pct '2.5' is not",
        ),
        (("sql", "drop view positions"), "one statement, a SELECT; this is DROP"),
        (("sql", "selec 1"), "Parser Error: syntax error"),
        (("sql", "from nowhere"), "Catalog Error: Table with name nowhere does not exist!"),
        (("sql", "from read_csv('/etc/passwd')"), "Permission Error"),
        (("map", "BTC", "--at", "0001-01-01T00:00+14:00"), "years are 2000 to 2199"),
        (("map", "BTC", "--at", "9999-12-31T23:59-14:00"), "years are 2000 to 2199"),
        (("sql", "select 1 as a, 2 as a", "--json"), "two columns are named a"),
        (("scenarios", "BTC", "--at", "2026-01-02T06:00Z", "--pct", "٥"), "whole numbers from"),
        (
            ("backtest", "--coin", "BTC", "--from", "0001-01-01", "--to", "2026-01-01"),
            "2000 to",
        ),
        (
            ("backtest", "--coin", "BTX", "--from", "2026-01-01", "--to", "2026-01-02"),
            "near it",
        ),
        (("frobnicate",), "No such command 'frobnicate'"),
    ],
)
def test_what_a_user_gets_wrong_is_one_line(lake, args, says):
    takes_lake = args[0] in {"map", "scenarios", "sql", "backtest"}
    assert says in refused(run(*args, lake=lake if takes_lake else None))


@pytest.mark.parametrize("coin", ["BTC'; drop view positions; --", "BTC') --", '"', "%"])
def test_a_coin_is_a_value_not_sql(lake, coin):
    assert "is not known by then" in refused(
        run("map", coin, "--at", "2026-01-02T06:00Z", lake=lake)
    )


def test_a_process_ends_as_the_front_door_says(lake):
    asked = ("map", "BTC", "--at", "2026-01-02T06:00Z", "--json")
    done, inside = started(*asked, lake=lake), run(*asked, lake=lake)
    assert (done.returncode, done.stdout, done.stderr) == (0, inside.stdout, inside.stderr)
    assert json.loads(done.stdout)
    assert "is not allowed" in refused(started(*asked, "--width", "0", lake=lake))


def test_no_lake(tmp_path):
    line = refused(run("sql", "select 1", lake=tmp_path / "nowhere"))
    assert line.startswith("no lake at ")
    (tmp_path / "letters.txt").touch()
    line = refused(run("map", "BTC", "--at", "2026-01-02T06:00Z", lake=tmp_path))
    assert line.startswith("no lake at ")


def test_a_long_answer_is_cut_for_people_and_whole_for_programs(lake):
    done = run("sql", "from range(2500)", lake=lake)
    assert len(done.stdout.splitlines()) < 1010
    assert "the first 1000 rows are shown" in done.stderr
    assert len(json.loads(run("sql", "from range(2500)", "--json", lake=lake).stdout)) == 2500


@pytest.mark.slow  # waits for a process to begin its query
def test_a_query_can_be_interrupted(lake):
    query = "select count(*) from range(1000000000000)"
    command = [sys.executable, "-m", "undertow", "sql", query, "--lake", str(lake)]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(4)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=10)
    assert (out, err.strip()) == (b"", b"")
    assert running.returncode in {130, -signal.SIGINT}


@pytest.mark.parametrize(
    "args",
    [
        ("ingest", "positions", "--root", "nowhere"),
        ("ingest", "fills", "--root", "nowhere"),
        ("ingest", "market", "--root", "nowhere"),
        ("ingest", "nightly", "--plain"),
        ("ingest", "nightly", "--plain", "--day", "2026-01-02", "--fills", "nowhere"),
        ("ingest", "positions", "--root", ".", "--from", "2026-01-03", "--to", "2026-01-03"),
        ("ingest", "positions", "--root", ".", "--from", "yesterday"),
        ("ingest", "positions", "--root", "gs://bucket"),
    ],
)
def test_an_ingest_that_cannot_start_writes_nothing(tmp_path, args):
    refused(run(*args, lake=tmp_path / "lake", cwd=tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "verb", ["demo", "ingest", "schedule", "sql", "map", "scenarios", "backtest", "report"]
)
def test_every_verb_has_help(verb):
    done = run(verb, "--help")
    assert done.returncode == 0, done.stderr
    assert "Usage: undertow" in done.stdout


def test_a_group_without_a_verb_shows_its_help_line_by_line():
    done = run("backtest")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Usage: undertow backtest")
    assert "\n  reproduce " in done.stderr


def test_captions_are_the_verbs_own():
    """Every verb that is listed can be found, and its help is not empty."""
    import importlib

    import undertow

    for module, attribute, caption in undertow.VERBS.values():
        assert caption.endswith(".")
        assert getattr(importlib.import_module(module), attribute).help


def test_a_reader_that_goes_away_is_no_error(lake):
    pipe = (
        f"{sys.executable} -m undertow sql 'from range(200000)' --json --lake {lake} | head -1"
    )
    done = subprocess.run(["bash", "-c", pipe], capture_output=True, text=True)
    assert done.stderr == ""


def test_moments_are_read_as_utc():
    from warehouse.ask import moment

    assert moment("2026-01-02T01:00+01:00") == T0
    assert moment("2026-01-02T00:00Z") == datetime(2026, 1, 2, tzinfo=UTC)
