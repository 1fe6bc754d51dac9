"""An exported catalog answers in plain DuckDB as the lake does, and is written whole or not."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from click.testing import CliRunner

from tests.effort import THOROUGH
from tests.rows import T0, batch, land_snapshot, position
from tests.warehouse import market_rows, whole_market
from tests.warehouse.every_macro import EVERY
from warehouse import catalog, open_lake
from warehouse.contracts.tables import TABLES
from warehouse.export import export_catalog
from warehouse.export_cli import export_catalog_
from warehouse.store import land
from warehouse.store.lake import NoLake

NOW = datetime(2026, 1, 9, tzinfo=UTC)
# What DuckDB alone is given: a file and queries.  It knows nothing of undertow.
CLIENT = """
import duckdb, json, sys
from datetime import datetime, timezone

def utc(value):
    if isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(timezone.utc)
    return value

file, *queries = json.load(sys.stdin)
con = duckdb.connect(file, read_only=True)
told = []
for query in queries:
    try:
        rows = con.sql(query).fetchall()
    except (duckdb.InvalidInputException, duckdb.IOException) as error:
        rows = [[str(error)]]
    told.append(sorted(repr(tuple(map(utc, row))) for row in rows))
assert not [name for name in sys.modules if name.startswith("warehouse")]
print(json.dumps(told))
"""


def plain(file, queries, zone="UTC"):
    """Return what a plain client is told whose machine stands in a zone."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", CLIENT],
        input=json.dumps([str(file), *queries]),
        capture_output=True,
        text=True,
        cwd="/",
        env=os.environ | {"TZ": zone},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """A lake with every kind of row, in a folder with an awkward name."""
    folder = tmp_path_factory.mktemp("a") / "o'brien's [lake] 1"
    made = whole_market.made()
    for table in market_rows.HELD:
        parts = {}
        for row in made[table.name]:
            if row.superseded_ts is None:
                # Which hours of fills are held is read from the names of their parts.
                hour = f"-{row.values['time_ts']:%H}" if table.name == "fills" else ""
                parts.setdefault(f"{row.values['source']}{hour}", []).append(row.values)
        for part, rows in parts.items():
            land(folder, table, batch(table, rows), part)
    return folder


def questions():
    """Return ``{name: query}``: every macro, asked both ways, and every relation."""
    given = {
        "$at": T0 + timedelta(hours=50),
        "$since": T0 + timedelta(hours=10),
        "$earlier": T0 + timedelta(hours=38),
    }
    asked = {}
    for name, query in EVERY.items():
        for parameter, moment in given.items():
            query = query.replace(parameter, f"'{moment}'::timestamptz")
        for knowable in ("true", "false"):
            asked[f"{name} {knowable}"] = query.replace("$knowable", knowable)
    views = [made.name for made in catalog.definitions("view")]
    tables = [name for table in TABLES for name in (table.name, f"{table.name}_versions")]
    return asked | {name: f"from {name}" for name in [*views, *tables, "parts", "asks", "gaps"]}


def held_against(lake, file, asked, zone="UTC"):
    """Return what DuckDB alone tells and what open_lake tells, by name."""
    made = export_catalog(lake, file, NOW)
    assert made.file == file
    got = dict(zip(asked, plain(file, asked.values(), zone), strict=True))
    return got, dict(zip(asked, told(lake, tuple(asked.values())), strict=True))


@cache
def told(lake, queries):
    """Return what open_lake tells; it is the same wherever a client is."""
    with open_lake(lake) as con:
        return [
            sorted(repr(tuple(map(utc, row))) for row in con.sql(query).fetchall())
            for query in queries
        ]


def utc(value):
    return value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo else value


def test_plain_clients_are_told_what_open_lake_tells(lake, tmp_path):
    names = ("liquidation_map true", "liquidation_flow false", "position_spells false")
    asked = {name: query for name, query in questions().items() if name in (*names, "gaps")}
    assert len(asked) == 4
    got, want = held_against(lake, tmp_path / "it's a catalog.duckdb", asked)
    assert got == want
    assert all(want[name] for name in names)


ELSEWHERE = ("America/New_York", "Asia/Kolkata")  # Kolkata's hours begin at half past


@pytest.mark.parametrize("zone", ELSEWHERE)
def test_a_client_elsewhere_is_told_the_same(lake, tmp_path, zone):
    names = ("context_asof false", "candle_asof true", "liquidation_heatmap false")
    asked = {name: query for name, query in questions().items() if name in names}
    got, want = held_against(lake, tmp_path / "catalog.duckdb", asked, zone)
    assert got == want
    assert all(want[name] for name in names)


def test_a_client_elsewhere_must_say_the_zone(lake, tmp_path):
    file = tmp_path / "catalog.duckdb"
    export_catalog(lake, file, NOW)
    asked = [
        f"from {macro}('BTC', {moment})"
        for macro in ("liquidation_map", "context_asof", "positions_at")
        for moment in ("'2026-01-03T12:00'", "timestamp '2026-01-03 12:00'")
    ]
    for (told,) in plain(file, asked, "America/New_York"):
        assert "has no time zone; if it is UTC, write it as 2026-01-03T12:00:00Z" in told


@pytest.mark.slow
@pytest.mark.parametrize("zone", ["UTC", ELSEWHERE[1]] if THOROUGH else ELSEWHERE[1:])
def test_plain_clients_are_told_everything(lake, tmp_path, zone):
    got, want = held_against(lake, tmp_path / "catalog.duckdb", questions(), zone)
    assert got == want
    # Most of them have something to say of this lake.
    assert sum(not rows for rows in want.values()) < len(want) / 4


def test_it_says_when_it_was_made_and_holds_no_rows_of_the_lake(lake, tmp_path):
    file = tmp_path / "catalog.duckdb"
    export_catalog(lake, file, NOW)
    (basis,), (positions,) = plain(
        file,
        [
            "select made_ts::varchar, lake, says from catalog_basis",
            "select count(*) from promised.positions",
        ],
    )
    assert str(lake) in basis.replace("\\", "")
    assert "2026-01-09 00:00:00+00" in basis
    assert "rows landed later are not seen" in basis
    assert positions == "(0,)"


def test_comments_say_what_things_are(lake, tmp_path):
    file = tmp_path / "catalog.duckdb"
    export_catalog(lake, file, NOW)
    (unsaid,) = plain(
        file,
        [
            "select view_name from duckdb_views() where schema_name = 'main' "
            "and not internal and comment is null "
            "union all select function_name from duckdb_functions() "
            "where not internal and function_type like '%macro' and comment is null"
        ],
    )
    assert unsaid == []


def test_a_file_that_is_there_is_replaced_only_if_asked_to(lake, tmp_path):
    file = tmp_path / "catalog.duckdb"
    export_catalog(lake, file, NOW)
    with pytest.raises(FileExistsError, match="is there already; --force replaces it"):
        export_catalog(lake, file, NOW)
    export_catalog(lake, file, NOW + timedelta(days=1), force=True)
    assert "2026-01-10" in plain(file, ["select made_ts::varchar from catalog_basis"])[0][0]
    assert [path.name for path in tmp_path.iterdir()] == ["catalog.duckdb"]


def test_what_is_no_catalog_is_never_replaced(lake, tmp_path):
    report = tmp_path / "report.html"
    report.write_text("<html>a report of some length</html>")
    with pytest.raises(FileExistsError, match="is no DuckDB file"):
        export_catalog(lake, report, NOW, force=True)
    assert report.read_text().startswith("<html>")
    with pytest.raises(FileExistsError, match="is a folder"):
        export_catalog(lake, tmp_path, NOW, force=True)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        export_catalog(lake, tmp_path / "none" / "catalog.duckdb", NOW)
    (tmp_path / "open.duckdb.wal").write_bytes(b"changes")
    with pytest.raises(FileExistsError, match="somebody writes to it"):
        export_catalog(lake, tmp_path / "open.duckdb", NOW, force=True)
    with pytest.raises(NoLake, match="no lake at"):
        export_catalog(tmp_path / "none", tmp_path / "catalog.duckdb", NOW)


def test_an_export_that_fails_leaves_nothing_and_takes_nothing(lake, tmp_path, monkeypatch):
    file = tmp_path / "catalog.duckdb"
    export_catalog(lake, file, NOW)
    before = file.read_bytes()

    def broken(con):
        raise LookupError("definitions that cannot be bound")

    monkeypatch.setattr("warehouse.export.build", broken)
    with pytest.raises(LookupError):
        export_catalog(lake, file, NOW, force=True)
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["catalog.duckdb"]


def test_the_command_line_says_what_the_file_shows(lake, tmp_path):
    file = tmp_path / "catalog.duckdb"
    done = CliRunner().invoke(
        export_catalog_, [str(file), "--lake", str(lake)], catch_exceptions=False
    )
    assert done.exit_code == 0
    assert str(file) in done.stderr
    assert f"shows the lake {lake} as of 20" in done.stderr
    assert "by absolute paths: export again when it has moved" in done.stderr
    assert "moments name their zone, as '2026-02-05T12:00Z'" in done.stderr
    assert file.exists()
    told = " ".join(CliRunner().invoke(export_catalog_, ["--help"]).output.split())
    assert "absolute paths" in told
    assert "name their zone" in told


def test_after_its_lake_has_moved_it_names_the_file_that_is_gone(tmp_path):
    lake = tmp_path / "lake"
    land_snapshot(lake, [position("BTC", 1, 1.0, 100.0, 90.0)], T0)
    file = tmp_path / "catalog.duckdb"
    export_catalog(lake, file, NOW)
    lake.rename(tmp_path / "elsewhere")
    asked = ["from positions", "select says from catalog_basis"]
    (gone,), (says,) = plain(file, asked)
    assert str(lake / "positions") in gone
    assert "once the lake has moved" in says
