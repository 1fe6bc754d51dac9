"""What a rule reaches outside of its view is a failure of the proof, unless it is allowed."""

import os

import pyarrow.fs
import pytest

from backtest.proof.doors import telling
from backtest.proof.watch import Touch, Watch
from backtest.prove import prove
from backtest.strategies.catalogue import STRATEGIES
from backtest.strategies.strategy import Wrapper
from tests.backtest import leaks_beneath as beneath
from tests.backtest import leaks_outside as leaks
from tests.backtest.leaks import BREAKOUT
from tests.backtest.proving import LAST, asked
from tests.backtest.small_lake import land_lake


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    return land_lake(tmp_path_factory.mktemp("of") / "lake", hours=LAST)


@pytest.fixture
def place(lake, monkeypatch):
    """Where leaks keep what they saw; beside the lake, of which they know by its place."""
    monkeypatch.setenv("PLACE_OF_LEAKS", str(lake.parent))
    monkeypatch.setattr(leaks, "PLACE", lake.parent)
    yield lake.parent
    for file in lake.parent.glob("seen*"):
        file.rmdir() if file.is_dir() else file.unlink()


WAYS = {
    leaks.InAFile: ("file", "seen.json"),
    leaks.InTheEnvironment: ("environment variable", "SEEN_BY_A_LEAK"),
    leaks.OwnLake: ("lake", "lake"),
    leaks.OnTheNetwork: ("network", "127.0.0.1:9"),
}


@pytest.mark.parametrize("cheat", WAYS)
def test_what_a_rule_reaches_is_named_and_nothing_is_proven(lake, place, cheat):
    found = prove(lake, asked(cheat()), 1, 1)
    assert (found.proven, found.difference) == (False, None)
    what, name = WAYS[cheat]
    assert found.touched[0].what == what
    assert found.touched[0].name.endswith(name)
    assert f"the rule touched {what} " in str(found)
    assert "--allow-io says that you answer for it" in str(found)
    # It is told after one play, before it can know what it is to be asked.
    assert found.replays == 0


@pytest.mark.slow
@pytest.mark.parametrize("cheat", [leaks.InAFile, leaks.OwnLake])
def test_such_a_leak_passes_where_it_is_allowed(lake, place, cheat):
    """The planted fault: nothing else tells of it; who allows it answers for it."""
    found = prove(lake, asked(cheat()), 1, 1, allow_io=True)
    assert (found.proven, found.difference, found.replays) == (True, None, 4)
    assert str(found).endswith("for that you answer.")


def test_a_variable_of_the_environment_is_put_back(lake, place):
    prove(lake, asked(leaks.InTheEnvironment()), 1, 1)
    assert "SEEN_BY_A_LEAK" not in os.environ


VIEWLESS = {
    leaks.InTheEnvironmentUnheard: "environment variable SEEN_BY_A_LEAK",
    leaks.InADatabase: "database {}/seen.db",
    leaks.InDuckDB: "database copy (select 1 as a) to ",
    leaks.InDuckDBItself: "database {}/seen.duckdb",
    leaks.ByPolars: "file {}/seen.parquet",
    leaks.LazilyByPolars: "file {}/seen.parquet",
    leaks.ByArrow: "file {}/no.parquet",
    leaks.ByNumpy: "file {}/seen.npy",
    leaks.ByAProcess: "process true",
    leaks.InSharedMemory: "shared memory",
    leaks.InAThread: "folder {}",
    leaks.InAFolder: "folder {}/seen",
    leaks.Permitting: "file {}",
    leaks.Owning: "file {}",
    leaks.WorkingThere: "folder /",
    leaks.ByTheSystem: "library",
    leaks.WhereItIsMade: "file {}/made.txt",
}


class Shown:
    """As much of a view as such a rule looks at."""

    open_px = close_px = leaks.np.ones(3)

    def __len__(self):
        return 3


@pytest.mark.parametrize("cheat", VIEWLESS)
def test_every_way_out_is_heard(place, cheat):
    watch = Watch()
    with watch:
        rule = cheat()
        rule.signal(Shown())
    told = [str(touch) for touch in watch.touched]
    assert any(one.startswith(VIEWLESS[cheat].format(place)) for one in told), told
    before = watch.touched
    rule.signal(Shown())
    assert watch.touched == before


@pytest.mark.parametrize("way", beneath.FILES)
def test_what_opens_a_file_beneath_python_is_heard(tmp_path, way):
    watch = Watch()
    with watch:
        beneath.try_it(beneath.FILES[way], tmp_path / "seen")
    (touch, *_) = watch.touched
    assert touch.what == "file"
    # What is asked in SQL is told as it was asked, and its end left out.
    sql = "sql" in way.lower()
    assert touch.name.startswith("select * from read_csv(" if sql else str(tmp_path / "seen"))


@pytest.mark.parametrize("asked_of", beneath.ASKED)
def test_whatever_is_asked_of_duckdb_is_heard(tmp_path, asked_of):
    watch = Watch()
    with watch:
        beneath.try_it(beneath.ASKED[asked_of], tmp_path / "seen")
    assert watch.touched[0].what == "database"


@pytest.mark.parametrize("way", beneath.HONEST)
def test_what_stays_in_memory_is_no_reach(way):
    watch = Watch()
    with watch:
        beneath.HONEST[way]()
    assert watch.touched == ()


def test_what_is_made_to_tell_is_the_same_class():
    """Of one that was made before, and by Arrow itself, too; and afterwards it is as it was."""
    fs = pyarrow.fs
    kind, before = fs.LocalFileSystem, fs.LocalFileSystem()
    with telling():
        assert fs.LocalFileSystem is not kind
        assert isinstance(before, fs.LocalFileSystem)
        assert isinstance(fs.LocalFileSystem(), kind)
        assert issubclass(kind, fs.LocalFileSystem)
        assert not isinstance(b"", fs.LocalFileSystem)
    assert fs.LocalFileSystem is kind


def test_a_thread_that_a_rule_left_behind_is_heard_in_the_next_play(place):
    watch = Watch()
    with watch:
        leaks.InAThreadAfterwards().signal(Shown())
    assert watch.touched == ()
    with watch:
        leaks.InAThreadAfterwards.go.set()
        assert leaks.InAThreadAfterwards.done.wait(60)
    assert watch.touched == (Touch("folder", str(place)),)


def test_imports_zones_and_readers_are_no_reach(lake):
    found = prove(lake, asked(leaks.Harmless()), 1, 1)
    assert found.touched == ()
    assert found.proven


def test_what_was_touched_is_told_once_and_at_most_five_by_name():
    watch = Watch()
    with watch:
        for number in (1, 1, 2, 3, 4, 5, 6):
            os.environ[f"A_LEAK_{number}"] = "1"
    assert [touch.name[-1] for touch in watch.touched] == list("123456")
    assert not any(name.startswith("A_LEAK") for name in os.environ)
    assert str(Touch("shared memory", "")) == "shared memory"


CHAINS = [
    kind(entry=BREAKOUT) if issubclass(kind, Wrapper) else kind()
    for kind in STRATEGIES.values()
]


@pytest.mark.slow
@pytest.mark.parametrize("strategy", CHAINS, ids=lambda one: one.name)
def test_no_strategy_of_the_catalogue_reaches_anything(demo, strategy):
    from datetime import UTC, datetime

    period = {
        "since": datetime(2026, 1, 8, tzinfo=UTC),
        "until": datetime(2026, 1, 10, tzinfo=UTC),
    }
    found = prove(demo.lake, asked(strategy, **period), 1, 1)
    assert found.touched == ()
    assert found.proven, str(found)


def test_a_rule_in_a_compiled_cache_of_its_own_reaches_nothing(lake, tmp_path, monkeypatch):
    """What numba keeps of a function it compiled is code, and named after it."""
    import sys

    (tmp_path / "compiled_rule.py").write_text(COMPILED)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path))
    monkeypatch.setitem(sys.modules, "compiled_rule", __import__("compiled_rule"))
    found = prove(lake, asked(sys.modules["compiled_rule"].Compiled()), 1, 1)
    assert list(tmp_path.rglob("*.nbi"))
    assert found.touched == ()


COMPILED = """
from dataclasses import dataclass

import numba
import numpy as np

from tests.backtest.leaks import Cheat


@numba.njit(cache=True)
def rise(opened, closed):
    return closed / opened - 1


class Compiled(Cheat):
    def signal(self, view):
        return rise(np.ascontiguousarray(view.open_px), np.ascontiguousarray(view.close_px))
"""
