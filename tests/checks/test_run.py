import json
from datetime import date, timedelta
from itertools import pairwise

import pytest
from click.testing import CliRunner

from tests.checks.test_guard import HOUR, bar, clock
from tests.rows import T0, batch, land_snapshot, position
from undertow import cli
from warehouse import open_lake
from warehouse.checks import note_findings, run, run_checks
from warehouse.contracts.tables import CANDLES
from warehouse.store import NoLake, Origin, land

DAY = timedelta(days=1)


def land_bars(lake, hours, part="bars"):
    rows = [bar(T0 + hour * HOUR) for hour in hours]
    return land(lake, CANDLES, batch(CANDLES, rows), part, [Origin.of("f", b"1")], clock)


def noted(lake, columns="start_ts, check_name, severity, rows"):
    with open_lake(lake) as con:
        return con.sql(f"select {columns} from incidents order by all").fetchall()


def check_and_note(lake, since=None, until=None, names=None):
    found = run_checks(lake, since, until, names)
    note_findings(lake, found, since, until, names, clock)
    return found


def test_a_check_of_the_lake_tells_what_is_wrong_in_one_line(tmp_path):
    land_bars(tmp_path, [0, 1, 4])
    (found,) = run_checks(tmp_path)
    assert str(found) == (
        "candles_have_no_holes: candles of test BTC at 2026-01-02 02:00:00: "
        "no 1h bar on hyperliquid for 02:00:00"
    )
    assert (found.level, found.rows, found.end_ts) == ("warn", 2, T0 + 4 * HOUR)
    assert found.known_ts == T0 + 5 * HOUR
    assert not found.stops


def test_only_the_days_and_checks_that_are_asked_for(tmp_path):
    land_bars(tmp_path, [0, 2, 24, 26])
    land_snapshot(tmp_path, [position()])
    assert len(run_checks(tmp_path)) == 4
    assert len(run_checks(tmp_path, date(2026, 1, 3))) == 1
    assert len(run_checks(tmp_path, until=date(2026, 1, 3))) == 3
    assert len(run_checks(tmp_path, names=["positions_net_to_zero"])) == 1
    assert run_checks(tmp_path, date(2026, 2, 1)) == []


@pytest.mark.parametrize(("days", "rows"), [(1, 10**9), (31, 1), (2, 10**9), (31, 10**9)])
def test_the_same_is_found_whatever_days_are_checked_together(
    tmp_path, monkeypatch, days, rows
):
    hours = [0, 1, 3, 22, 25, 47, 49, 72, 95, 120, 121, 240, 262, 264]
    land_bars(tmp_path, hours)
    monkeypatch.setattr(run, "DAYS_AT_ONCE", days)
    monkeypatch.setattr(run, "ROWS_AT_ONCE", rows)
    holes = [
        (T0 + (low + 1) * HOUR, high - low - 1)
        for low, high in pairwise(hours)
        if 1 < high - low <= 25
    ]
    assert [(one.start_ts, one.rows) for one in run_checks(tmp_path)] == holes
    first = T0.date()
    apart = [
        one
        for number in range(12)
        for one in run_checks(tmp_path, first + number * DAY, first + (number + 1) * DAY)
    ]
    assert [(one.start_ts, one.rows) for one in apart] == holes


def test_what_is_found_becomes_an_incident_and_again_the_same_bytes(tmp_path):
    land_bars(tmp_path, [0, 2])
    check_and_note(tmp_path)
    assert noted(tmp_path) == [(T0 + HOUR, "candles_have_no_holes", "warn", 1)]
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.parquet")}
    check_and_note(tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.parquet")} == before


def test_an_incident_vanishes_once_a_backfill_has_mended_it(tmp_path):
    land_bars(tmp_path, [0, 2, 4])
    check_and_note(tmp_path)
    land_bars(tmp_path, [0, 1, 2, 4])
    check_and_note(tmp_path)
    assert [row[0] for row in noted(tmp_path)] == [T0 + 3 * HOUR]
    land_bars(tmp_path, range(5))
    check_and_note(tmp_path)
    assert noted(tmp_path) == []


def test_days_and_checks_that_were_not_asked_keep_their_incidents(tmp_path):
    land_bars(tmp_path, [0, 2, 24, 26])
    land_snapshot(tmp_path, [position()])
    check_and_note(tmp_path)
    everything = noted(tmp_path)
    assert len(everything) == 4
    check_and_note(tmp_path, date(2026, 1, 3), date(2026, 1, 4))
    check_and_note(tmp_path, names=["candles_have_no_holes"])
    assert noted(tmp_path) == everything


def test_facts_about_the_sources_a_lake_holds_are_noted_beside(tmp_path):
    land(tmp_path, CANDLES, batch(CANDLES, [bar(source="reservoir")]), "bars")
    check_and_note(tmp_path)
    assert {row[1:3] for row in noted(tmp_path)} == {("known_hole", "fact")}


def test_incidents_of_a_window_are_those_that_overlap_it(tmp_path):
    land_bars(tmp_path, [0, 4, 6])
    land_snapshot(tmp_path, [position()])
    check_and_note(tmp_path)
    with open_lake(tmp_path) as con:

        def found(table, coin, since, until):
            query = "select start_ts from incidents_at(?, ?, ?, ?)"
            at = [T0 + hours * HOUR for hours in (since, until)]
            return [row[0] for row in con.execute(query, [table, coin, *at]).fetchall()]

        first, second = T0 + HOUR, T0 + 5 * HOUR
        assert found("candles", "BTC", 0, 24) == [first, second]
        assert found("candles", "BTC", 3, 5) == [first]
        assert found("candles", "BTC", 4, 5) == []  # its end is not in it
        assert found("candles", "ETH", 0, 24) == []
        assert found("positions", "BTC", 0, 1) == [T0]  # of one instant


def test_no_lake_is_said_and_none_is_made(tmp_path):
    with pytest.raises(NoLake):
        run_checks(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="must be before"):
        run_checks(tmp_path, date(2026, 1, 2), date(2026, 1, 2))
    assert not list(tmp_path.iterdir())


def test_progress_counts_windows(tmp_path):
    land_bars(tmp_path, [0])
    seen = []
    run_checks(tmp_path, progress=lambda *said: seen.append(said))
    assert seen == [("2026-01-02", 0, 1), ("checked", 1, 1)]


def test_the_command_exits_with_0_for_warnings_and_1_for_what_stops(tmp_path):
    land_bars(tmp_path, [0, 2])
    done = CliRunner().invoke(cli, ["check", "--lake", str(tmp_path), "--json"])
    assert done.exit_code == 0
    (row,) = json.loads(done.stdout)
    assert row["check_name"] == "candles_have_no_holes"
    assert row["start_ts"] == "2026-01-02T01:00:00Z"
    land_bars(tmp_path, [0], "again")
    done = CliRunner().invoke(cli, ["check", "--lake", str(tmp_path)])
    assert done.exit_code == 1
    assert "candles_have_one_row_per_grain" in done.stdout
    assert "1 findings that stop a landing, 1 warnings" in done.stderr


def test_the_command_takes_days(tmp_path):
    land_bars(tmp_path, [0, 2])
    args = ["check", "--lake", str(tmp_path), "--json", "--from", "2026-01-03"]
    assert json.loads(CliRunner().invoke(cli, args).stdout) == []
