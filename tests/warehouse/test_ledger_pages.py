"""The ledger's lines of older days lie in pages; nobody who asks it can tell."""

import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rows import T0, batch, position, snapshot
from warehouse import open_lake
from warehouse.contracts.tables import POSITIONS, SNAPSHOTS
from warehouse.store import Lake, Origin, asks, book, landing, ledger, parts_of
from warehouse.store.asks import Ask, asks_of, record
from warehouse.store.book import PageGone
from warehouse.store.compaction import compact
from warehouse.store.ledger import as_parts, change
from warehouse.store.local import LocalLake

DAY = timedelta(days=1)
FAR = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def folds_early(monkeypatch):
    """Fold older days once they have four lines, not thousands."""
    monkeypatch.setattr(book, "FOLD_AT", 4)


def land_days(lake, days, size=1.0, name="b"):
    """Land snapshots of some days as one batch, in two tables."""
    with landing(lake, lambda: T0) as batches:
        for number in days:
            at = T0 + number * DAY
            rows = [position(size=size, snapshot_ts=at)]
            origins = [Origin(f"{name}-{number}", 1, "1")]
            batches.land(POSITIONS, batch(POSITIONS, rows), name, origins)
            batches.land(SNAPSHOTS, batch(SNAPSHOTS, [snapshot(at, rows)]), name, origins)


def pages(lake):
    return sorted(Lake.at(lake).sizes(ledger.LINES.folder))


def lines(lake):
    return sorted((*part.key, part.revision) for part in as_parts(parts_of(Lake.at(lake))))


def test_older_days_are_folded_and_nothing_is_lost(lake):
    for number in range(0, 52, 4):
        land_days(lake, [number])
    assert [path.partition("~")[0] for path in listed(lake)] == [
        "_ledger/parts/2026-01",
        "_ledger/parts/2026-02",
    ]
    held = ledger.LINES.state(Lake.at(lake).read(ledger.LINES.path)).lines
    assert held.num_rows <= 2 * (book.KEPT + 1) + book.FOLD_AT
    days = [date(2026, 1, 2) + number * DAY for number in range(0, 52, 4)]
    tables = ("positions", "snapshots")
    assert lines(lake) == sorted((table, day, "b", 1) for day in days for table in tables)
    assert parts_of(Lake.at(lake), {days[1], days[12]}).num_rows == 4
    with open_lake(lake) as con:
        assert con.sql("select count(*) from positions").fetchall() == [(13,)]
        counted = "select count(*), count(distinct day), min(origins[1].url) from parts"
        assert con.sql(counted).fetchall() == [(26, 13, "b-0")]
        ((said,),) = con.sql(
            "select comment from duckdb_columns() "
            "where table_name = 'parts' and column_name = 'hash' and schema_name = 'main'"
        ).fetchall()
        assert said.startswith("SHA-256")


def listed(lake):
    place = Lake.at(lake)
    return sorted(ledger.LINES.state(place.read(ledger.LINES.path)).pages)


def test_a_day_in_a_page_changes_like_any_other(lake):
    land_days(lake, range(10))
    assert listed(lake)
    land_days(lake, [0, 1, 9], size=2.0)
    land_days(lake, [0], name="late")
    gone = ("positions", date(2026, 1, 3), "b")
    change(Lake.at(lake), [gone], lambda _: [])
    with open_lake(lake) as con:
        sizes = con.sql("select day(day), size from positions order by all").fetchall()
        told = con.sql("select count(*), count(distinct (table_name, day, part)) from parts")
        assert told.fetchall() == [(21, 21)]
    assert sizes == [(2, 1.0), (2, 2.0), *((day, 1.0) for day in range(4, 11)), (11, 2.0)]


def test_landing_a_folded_batch_again_leaves_the_same_bytes(lake):
    land_days(lake, range(10))
    place = Lake.at(lake)
    before = {path: place.read(path) for path in place.sizes("")}
    land_days(lake, range(10))
    assert {path: place.read(path) for path in place.sizes("")} == before


STEPS = st.lists(
    st.tuples(
        st.sets(st.integers(0, 70), min_size=1, max_size=4),
        st.sampled_from(["a", "b"]),
        st.booleans(),
    ),
    max_size=12,
)


@settings(max_examples=25)
@given(steps=STEPS)
def test_whatever_changes_the_book_says_what_a_list_would(tmp_path_factory, steps):
    lake = LocalLake(tmp_path_factory.mktemp("lake"))
    held = {}
    for number, (days, source, failed) in enumerate(steps):
        asked = [
            Ask("fills", source, date(2026, 1, 2) + day * DAY, 7, "failed", f"{number}")
            for day in days
        ]
        if not failed:
            asked = [Ask(*ask.key, "landed") for ask in asked]
        record(lake, asked, T0)
        for ask in asked:
            if failed:
                held[ask.key] = ask.reason
            else:
                held.pop(ask.key, None)
        rows = asks_of(lake).to_pylist()
        names = ("table_name", "source", "day", "hour")
        found = {tuple(row[name] for name in names): row["reason"] for row in rows}
        assert (found, len(rows)) == (held, len(held))
        some = {ask.day for ask in asked}
        assert asks.LINES.read(lake, some).num_rows == sum(key[2] in some for key in held)


def test_a_landing_reads_and_writes_as_much_as_ever(tmp_path, monkeypatch):
    """Bytes of the ledger, not seconds: a machine that is busy must not fail this."""
    monkeypatch.setattr(book, "FOLD_AT", 100)
    spent = {"read": 0, "written": 0}
    read, swap = LocalLake.read, LocalLake.swap

    def counted(self, path):
        body = read(self, path)
        spent["read"] += len(body or b"") if path.startswith("_ledger") else 0
        return body

    def swapped(self, path, how):
        def noted(body):
            after = how(body)
            spent["written"] += len(after or b"")
            return after

        swap(self, path, noted)

    monkeypatch.setattr(LocalLake, "read", counted)
    monkeypatch.setattr(LocalLake, "swap", swapped)
    told = []
    for until in (100, 2000):
        lake = tmp_path / f"{until}"
        land_days(lake, [0])
        first = as_parts(parts_of(LocalLake(lake)))
        many = [
            replace(line, day=line.day + n * DAY, part=f"{part}")
            for line in first
            for n in range(until)
            for part in range(6)
        ]
        change(LocalLake(lake), [line.key for line in many], lambda _, many=many: many)
        spent |= {"read": 0, "written": 0}
        land_days(lake, [until])
        told.append(dict(spent))
    young, old = told
    # The names of 66 months' pages; the lines of those months are two megabytes.
    assert old["read"] < young["read"] + 2 * 30_000
    assert old["written"] < young["written"] + 30_000


class Killed(BaseException):
    """Stands for a writer's end."""


def test_a_writer_killed_after_its_pages_has_done_nothing(tmp_path, monkeypatch):
    land_days(tmp_path, range(3))
    before, seen = lines(tmp_path), pages(tmp_path)
    publish = LocalLake.publish

    def killed(self, drafts):
        drafts = list(drafts)
        publish(self, drafts)
        if any(path.startswith("_ledger") for _, path in drafts):
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(LocalLake, "publish", killed)
        with pytest.raises(Killed):
            land_days(tmp_path, range(3, 9))
    assert len(pages(tmp_path)) == len(seen) + 1
    assert lines(tmp_path) == before
    with open_lake(tmp_path) as con:
        assert con.sql("select count(*) from positions").fetchall() == [(3,)]
    land_days(tmp_path, range(3, 9))
    assert len(lines(tmp_path)) == 18


# Lands days and is killed before the n-th step by which the ledger's folding reaches the disk.
DIES = """
import os, signal, sys
from tests.warehouse.test_ledger_pages import land_days
from warehouse.store import book

left, folded = int(sys.argv[2]), book.Book._folded

def counted(step):
    def taken(*args):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return step(*args)
    return taken

def folds(*args):
    os.fsync, os.replace = counted(os.fsync), counted(os.replace)
    return folded(*args)

book.FOLD_AT, book.Book._folded = 4, folds
land_days(sys.argv[1], range(3, 9))
"""


@pytest.mark.slow
def test_a_fold_that_is_killed_at_any_step_has_happened_or_not(tmp_path):
    land_days(tmp_path / "first", range(3))
    before, seen = lines(tmp_path / "first"), set()
    for step in range(99):
        lake = tmp_path / f"{step}"
        shutil.copytree(tmp_path / "first", lake)
        done = subprocess.run([sys.executable, "-c", DIES, lake, f"{step}"])
        after = lines(lake)
        assert after == before or len(after) == 18
        seen.add(after == before)
        with open_lake(lake) as con:
            counted = con.sql("select count(*) from positions").fetchall()
        assert counted == [(len(after) / 2,)]
        land_days(lake, range(3, 9))
        compact(lake, FAR, grace=timedelta(0), orphan_age=timedelta(0))
        assert (len(lines(lake)), pages(lake)) == (18, listed(lake))
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
    assert (seen, step > 5) == ({True, False}, True)


def test_pages_that_were_replaced_are_removed_by_a_compaction(lake):
    for number in range(7):
        land_days(lake, [number])
    before = lines(lake)
    assert set(listed(lake)) < set(pages(lake))
    compact(lake, FAR, grace=timedelta(0), orphan_age=timedelta(0))
    compact(lake, FAR, grace=timedelta(0), orphan_age=timedelta(0))
    assert pages(lake) == listed(lake)
    assert lines(lake) == before


class Overtaking(LocalLake):
    """A lake whose first page is folded anew and removed while somebody reads it."""

    overtaken = False

    def read(self, path):
        if path.startswith(f"{ledger.LINES.folder}/") and not self.overtaken:
            self.overtaken = True
            for number in range(20, 26):
                land_days(self.folder, [number])
            (self.folder / path).unlink()
        return super().read(path)


def test_a_reader_whose_page_is_replaced_reads_the_new_one(tmp_path):
    land_days(tmp_path, range(6))
    assert parts_of(Overtaking(tmp_path)).num_rows == 24


def test_a_lost_page_is_one_line_and_other_days_go_on(tmp_path):
    land_days(tmp_path, range(6))
    [page] = listed(tmp_path)
    (tmp_path / page).unlink()
    with pytest.raises(PageGone, match=r"2026-01~[0-9a-f]+.parquet is gone[^\n]*2026-01-02"):
        parts_of(LocalLake(tmp_path))
    land_days(tmp_path, [40])
    assert parts_of(LocalLake(tmp_path), {T0.date() + 40 * DAY}).num_rows == 2


def test_asks_are_folded_too(lake):
    place = Lake.at(lake)
    for number in range(9):
        day = T0.date() + number * DAY
        record(place, [Ask("fills", "a", day, 7, "failed", "why")], T0)
    assert place.sizes(asks.LINES.folder)
    assert asks_of(place).num_rows == 9
    with open_lake(lake) as con:
        assert con.sql("select count(distinct day) from asks").fetchall() == [(9,)]
    record(place, [Ask("fills", "a", T0.date(), 7, "landed")], T0)
    assert isinstance(asks_of(place), pa.Table)
    assert asks_of(place).num_rows == 8
