"""A listed file that is gone: who needs it is told, and who lands it again mends it."""

import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import duckdb
import pytest

from tests.cli.inside import refused, run
from tests.rows import T0, batch, position, snapshot
from warehouse import open_lake, sandbox
from warehouse.catalog import refresh
from warehouse.contracts.tables import POSITIONS, SNAPSHOTS
from warehouse.store import Lake, Origin, landing, parts_of
from warehouse.store.compaction import compact
from warehouse.store.files import bad_files, lost_files
from warehouse.store.ledger import as_parts

DAY = timedelta(days=1)
FAR = datetime(2100, 1, 1, tzinfo=UTC)
FILE = "positions/day=2026-01-02/b-0.parquet"


def land_hours(lake, hours=(0,), days=(0,), origins=None, size=1.0):
    """Land snapshots, each a batch of its own; the origin of each is a file without it."""
    for day in days:
        for hour in hours:
            at = T0 + day * DAY + hour * timedelta(hours=1)
            rows = [
                position(size=size, liquidation_px=50.0, snapshot_ts=at, known_ts=at, holder=n)
                for n in (1, 2)
            ]
            read = [Origin(f"{day}-{hour}", 1, f"{size}")] if origins is None else origins
            with landing(lake, lambda: T0) as batches:
                batches.land(POSITIONS, batch(POSITIONS, rows), f"b-{hour}", read)
                batches.land(
                    SNAPSHOTS, batch(SNAPSHOTS, [snapshot(at, rows)]), f"b-{hour}", read
                )


def lose(lake, path=FILE):
    place = Lake.at(lake)
    assert place.read(path) is not None
    place.remove([path])
    return str(place.place(path))


def asked(con, query):
    return con.sql(query).fetchall()


def test_a_question_that_needs_it_says_which_and_how_to_go_on(lake):
    land_hours(lake, hours=(0, 1), days=(0, 1))
    file = lose(lake)
    with open_lake(lake) as con:
        for query in (
            "select sum(size) from positions",
            "select count(*) from positions",
            "select count(*) from positions_versions where day = '2026-01-02'",
            "from liquidation_map('BTC', timestamptz '2026-01-02 01:30Z')",
        ):
            with pytest.raises(duckdb.Error, match="is gone, which the ledger lists") as raised:
                asked(con, query)
            assert file in str(raised.value)
            assert "`undertow check --files`" in str(raised.value)
            assert "\n" not in str(raised.value)


def test_questions_that_do_not_need_it_are_answered(lake):
    land_hours(lake, hours=(0, 1), days=(0, 1))
    lose(lake)
    with open_lake(lake) as con:
        assert asked(con, "select count(*) from snapshots") == [(4,)]
        later = "select count(*) from positions where day = '2026-01-03'"
        assert asked(con, later) == [(4,)]
        map_ = "select sum(positions) from liquidation_map('BTC', $at)"
        at = T0 + DAY + timedelta(minutes=30)
        assert con.sql(map_, params={"at": at}).fetchall() == [(2,)]


def test_a_lost_file_that_no_longer_counts_stops_only_the_past(lake):
    land_hours(lake)
    land_hours(lake, size=2.0)  # from another file: a correction
    lose(lake)
    with open_lake(lake) as con:
        assert asked(con, "select sum(size) from positions") == [(4.0,)]
        with pytest.raises(duckdb.Error, match="is gone"):
            asked(con, "select sum(size) from positions_versions")


@pytest.mark.parametrize("origins", [None, [], [Origin("an answer")]])
@pytest.mark.parametrize("compacted", [False, True])
def test_landing_the_same_rows_again_puts_it_back(tmp_path, origins, compacted):
    land_hours(tmp_path, hours=(0, 1), origins=origins)
    if compacted:
        compact(tmp_path, FAR, grace=timedelta(0))
    [path] = {
        line.path
        for line in as_parts(parts_of(Lake.at(tmp_path)))
        if (line.table_name, line.part) == ("positions", "b-0")
    }
    lose(tmp_path, path)
    land_hours(tmp_path, hours=(0,), origins=origins)
    if compacted:  # of the other that lay in it nothing is there before it is landed too
        [bad] = lost_files(Lake.at(tmp_path))
        assert bad.parts == ("b-1",)
        land_hours(tmp_path, hours=(1,), origins=origins)
    assert bad_files(Lake.at(tmp_path))[0] == []
    with open_lake(tmp_path) as con:
        assert asked(con, "select count(*), sum(size) from positions") == [(4, 4.0)]
        told = "select count(*), max(revision), count(since_ts) from parts"
        assert asked(con, told) == [(4, 1, 0)]


def undertow(*args):
    command = [sys.executable, "-m", "undertow", *args]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def test_the_command_line_says_it_in_one_line(tmp_path):
    land_hours(tmp_path)
    file = lose(tmp_path)
    at = ("--at", "2026-01-02T12:00Z")
    for verb in (("sql", "from positions"), ("map", "BTC", *at), ("scenarios", "BTC", *at)):
        status, told, complaint = undertow(*verb, "--lake", str(tmp_path))
        assert (status, told, complaint.count("\n")) == (2, "", 1)
        assert complaint.startswith(f"undertow: lake {tmp_path}: {file} is gone")


def test_check_lists_what_is_lost_and_what_is_damaged(tmp_path):
    land_hours(tmp_path, hours=(0, 1), days=(0, 1))
    compact(tmp_path, FAR, date(2026, 1, 3), tables=["positions"], grace=timedelta(0))
    status, told, _ = undertow("check", "--files", "--json", "--lake", str(tmp_path))
    assert (status, json.loads(told)) == (0, [])
    lose(tmp_path)
    [shared] = (tmp_path / "positions/day=2026-01-03").glob("*.parquet")
    shared.write_bytes(shared.read_bytes()[:-1] + b"!")
    status, told, said = undertow("check", "--files", "--json", "--lake", str(tmp_path))
    assert status == 1
    assert json.loads(told) == [
        {
            "table": "positions",
            "day": "2026-01-02",
            "state": "lost",
            "path": FILE,
            "rows": 2,
            "parts": ["b-0"],
        },
        {
            "table": "positions",
            "day": "2026-01-03",
            "state": "damaged",
            "path": f"positions/day=2026-01-03/{shared.name}",
            "rows": 4,
            "parts": ["b-0", "b-1"],
        },
    ]
    assert "of 7 files 1 are lost, 1 damaged" in said
    some = ("--files", "--table", "snapshots", "--from", "2026-01-03", "--lake", str(tmp_path))
    status, _, said = undertow("check", *some)
    assert (status, "of 2 files" in said) == (0, True)
    land_hours(tmp_path, hours=(0, 1), days=(0, 1))
    assert bad_files(Lake.at(tmp_path))[0] == []


def test_check_says_that_files_are_gone_and_checks_the_others(tmp_path):
    land_hours(tmp_path, hours=(0, 1))
    lose(tmp_path)
    status, _, said = undertow("check", "--lake", str(tmp_path))
    assert status == 1
    assert f"1 files that the ledger lists are gone, {FILE} the first" in said


def test_lost_files_are_found_wherever_the_lake_lies(lake):
    land_hours(lake, hours=(0, 1))
    assert lost_files(Lake.at(lake)) == []
    lose(lake)
    assert [(one.path, one.state) for one in lost_files(Lake.at(lake))] == [(FILE, "lost")]
    assert lost_files(Lake.at(lake)) == bad_files(Lake.at(lake))[0]


def test_a_connection_that_outlives_a_compaction_is_refreshed(lake):
    land_hours(lake, hours=(0, 1))
    with open_lake(lake) as con:
        con.execute("create table mine as select 1 as one")
        assert asked(con, "select count(*) from positions") == [(4,)]
        compact(lake, FAR, grace=timedelta(0))
        land_hours(lake, hours=(2,))
        with pytest.raises(duckdb.Error):
            asked(con, "select sum(size) from positions")
        refresh(con)
        assert asked(con, "select count(*), sum(size) from positions") == [(6, 6.0)]
        assert asked(con, "select count(*) from parts") == [(6,)]
        at = T0 + timedelta(hours=2, minutes=30)
        map_ = "select sum(positions) from liquidation_map('BTC', $at)"
        assert con.sql(map_, params={"at": at}).fetchall() == [(2,)]
        assert asked(con, "from mine") == [(1,)]


def test_a_command_whose_lake_is_compacted_meanwhile_says_so(lake, monkeypatch):
    land_hours(lake, hours=(0, 1))
    opened = sandbox.open_lake

    def overtaken(place):
        con = opened(place)
        compact(place, FAR, grace=timedelta(0))
        return con

    with monkeypatch.context() as patch:
        patch.setattr(sandbox, "open_lake", overtaken)
        done = run("sql", "select sum(size) from positions", lake=lake)
    assert refused(done) == "the lake was compacted since it was opened; open it again"
    assert run("sql", "select sum(size) from positions", lake=lake).returncode == 0


def test_only_a_connection_to_a_lake_is_refreshed():
    with duckdb.connect() as con, pytest.raises(ValueError, match="none of open_lake"):
        refresh(con)
