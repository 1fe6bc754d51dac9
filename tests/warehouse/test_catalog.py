from pathlib import Path

import duckdb
import pytest

from tests.rows import land_snapshot, position
from warehouse import catalog, open_lake
from warehouse.checks.definitions import checks
from warehouse.contracts.tables import TABLES
from warehouse.sandbox import select


def test_an_empty_folder_is_a_lake_whose_tables_are_empty(tmp_path):
    with open_lake(tmp_path) as con:
        for table in TABLES:
            relation = con.sql(f"from {table.name}")
            assert relation.columns == table.promised.names
            assert relation.fetchall() == []


def test_no_folder_is_no_lake(tmp_path):
    with pytest.raises(catalog.NoLake, match=r"no lake at .*undertow ingest"):
        open_lake(tmp_path / "nowhere")


def test_landed_rows_have_the_promised_types(tmp_path):
    with open_lake(tmp_path) as con:
        promised = con.sql("from positions").types
    land_snapshot(tmp_path, [position()])
    with open_lake(tmp_path) as con:
        assert con.sql("from positions").types == promised


@pytest.mark.parametrize("name", ["it's", "a[b]c", "star*", "what?", "space here", "ü"])
def test_any_folder_name_will_do(tmp_path, name):
    lake = tmp_path / name
    land_snapshot(lake, [position(liquidation_px=90.0)])
    with open_lake(lake) as con:
        assert con.sql("select count(*) from positions").fetchall() == [(1,)]


def test_tables_and_columns_are_described(tmp_path):
    with open_lake(tmp_path) as con:
        views = con.sql(
            "select view_name, comment from duckdb_views() "
            "where schema_name = 'main' and not internal"
        )
        assert all("grain:" in comment for _, comment in views.fetchall())
        columns = con.sql(
            "select column_name, comment from duckdb_columns() "
            "where table_name = 'positions' and schema_name = 'main'"
        )
        assert all(comment for _, comment in columns.fetchall())


def test_a_definition_that_reads_what_does_not_exist_is_named(tmp_path, monkeypatch):
    broken = catalog.Definition("lost", "view", "", "select 1 as x from nowhere", "grain: x")
    real = list(catalog.definitions())
    monkeypatch.setattr(catalog, "definitions", lambda: iter([broken, *real]))
    with pytest.raises(LookupError, match=r"lost: .*nowhere"):
        open_lake(tmp_path)


def test_only_the_days_asked_for_are_read(tmp_path):
    from datetime import timedelta

    from tests.rows import T0

    for days in range(20):
        land_snapshot(tmp_path, [position(liquidation_px=90.0)], T0 + timedelta(days=days))
    with open_lake(tmp_path) as con:
        plan = con.sql(
            "explain analyze from positions_at('BTC', timestamptz '2026-01-10 12:00:00+00')"
        ).fetchall()[0][1]
    read = [line for line in plan.replace("│", "\n").splitlines() if "Total Files Read" in line]
    positions_files = min(int(line.rpartition(":")[2]) for line in read)
    assert positions_files == 1


@pytest.mark.parametrize(
    "query",
    [
        "create table x (i int)",
        "copy (select 1) to 'out.csv'",
        "select 1; select 2",
        "set threads = 1",
        "attach 'x.db'",
        "drop view positions",
        "insert into promised.positions select * from positions",
        "explain analyze create table x (i int)",
        "",
    ],
)
def test_sql_takes_one_select(tmp_path, query):
    with pytest.raises((ValueError, duckdb.Error)):
        select(tmp_path, query).fetchall()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "query",
    [
        "from read_csv('/etc/passwd')",
        "from read_text('{outside}')",
        "from glob('/*')",
        "from '{outside}'",
    ],
)
def test_sql_reads_the_lake_and_nothing_else(tmp_path, query):
    lake = tmp_path / "lake"
    land_snapshot(lake, [position()])
    outside = tmp_path / "secret.csv"
    outside.write_text("a\n1\n")
    with pytest.raises(duckdb.Error):
        select(lake, query.format(outside=outside)).fetchall()
    assert select(lake, "select count(*) from positions").fetchall() == [(1,)]


def test_every_sql_file_is_shipped():
    folder = Path(str(catalog.SQL))
    named = {made.name for made in catalog.definitions()} | {check.name for check in checks()}
    assert named == {path.stem for path in folder.glob("*/*.sql")}


def test_a_table_that_has_emptied_is_shown_empty_again(tmp_path):
    from shutil import rmtree

    land_snapshot(tmp_path, [position()])
    with open_lake(tmp_path) as con:
        rmtree(tmp_path / "_ledger")
        catalog.refresh(con)
        assert con.sql("from positions").fetchall() == []
        assert con.sql("from snapshots_versions").fetchall() == []
