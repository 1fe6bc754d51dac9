"""A lake that is opened from the copy of a catalog is the lake opened without one."""

import os
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.rows import T0, land_snapshot, position
from warehouse import blank, catalog, open_lake

SHOWN = {
    "views": "select schema_name, view_name, sql, comment from duckdb_views() "
    "where not internal and view_name <> 'gaps'",  # names a Python object
    "tables": "select schema_name, table_name, sql from duckdb_tables() where not internal",
    "columns": "select schema_name, table_name, column_name, data_type, comment "
    "from duckdb_columns() where not internal",
    "macros": "select function_name, comment, parameters, macro_definition "
    "from duckdb_functions() where not internal",
}


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of a user's own."""
    folder = tmp_path / "cache"
    monkeypatch.setattr(blank, "user_cache_path", lambda name: folder)
    return folder


def seen(lake):
    with open_lake(lake) as con:
        return {
            what: [ordered(row) for row in con.sql(f"{query} order by 1, 2, 3").fetchall()]
            for what, query in SHOWN.items()
        }


def ordered(row):
    """What is left out of a star is a set, which DuckDB tells in any order."""
    return tuple(LEFT_OUT.sub(in_order, one) if isinstance(one, str) else one for one in row)


def in_order(found):
    return f"EXCLUDE ({', '.join(sorted(found[1].split(', ')))})"


LEFT_OUT = re.compile(r"EXCLUDE \(([^()]*)\)")


def count(lake):
    with open_lake(lake) as con:
        return con.sql("select count(*) from positions").fetchall()[0][0]


@pytest.fixture
def lake(tmp_path):
    land_snapshot(tmp_path / "lake", [position(liquidation_px=90.0)])
    return tmp_path / "lake"


@pytest.fixture
def never(monkeypatch):
    """Fail where a catalog is made that could have been copied."""

    def make(monkeypatch=monkeypatch):
        monkeypatch.setattr(catalog, "build", lambda con: pytest.fail("made anew"))

    return make


def test_a_copy_is_what_was_made(cache, lake, never):
    made = seen(lake)
    never()
    assert seen(lake) == made
    assert all(made.values())


def test_what_was_copied_reads_the_lake_at_each_opening(cache, lake, never):
    assert count(lake) == 1
    never()
    land_snapshot(lake, [position(), position(holder=2)], T0.replace(hour=1))
    assert count(lake) == 3


@pytest.mark.parametrize("spoil", [b"", b"no database", None])
def test_a_spoilt_copy_is_made_anew(cache, lake, spoil, never):
    made = seen(lake)
    (file,) = cache.iterdir()
    body = file.read_bytes()
    file.write_bytes(body[: len(body) // 2] if spoil is None else spoil)
    assert seen(lake) == made
    never()
    assert seen(lake) == made


def test_without_a_place_for_a_copy_lakes_open(cache, lake):
    cache.write_text("a file, where a folder should be")
    assert count(lake) == 1
    assert count(lake) == 1


def test_a_draft_that_cannot_be_put_in_its_place_leaves_nothing(cache, lake, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "replace", full)
        assert count(lake) == 1
    assert list(cache.iterdir()) == []


def test_an_edited_definition_is_another_copy(cache, lake, monkeypatch):
    real = list(catalog.definitions())
    with open_lake(lake):
        pass
    one = catalog.Definition("one", "macro", "", "1", "One.")
    monkeypatch.setattr(catalog, "definitions", lambda: iter([one, *real]))
    with open_lake(lake) as con:
        assert con.sql("select one()").fetchall() == [(1,)]
    assert len(list(cache.iterdir())) == 2


def test_what_is_told_cannot_run_together():
    assert blank.place(["ab", "c"]) != blank.place(["a", "bc"])


def test_many_threads_open_a_lake_at_once(cache, lake):
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(count, [lake] * 6)) == [1] * 6
