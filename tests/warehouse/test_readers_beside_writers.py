"""While a night's work goes on, readers see whole maps: one from before a landing, or after it.

A process lands snapshots, sweeps and corrections, packs days and bins maps, as a night does.
Everybody's size is the number of the landing, so half of one would be seen.
"""

import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from datetime import datetime, timedelta
from time import monotonic

import duckdb
import pytest

from tests.effort import THOROUGH
from tests.rows import T0, account, batch, land_snapshot, position, snapshot
from warehouse import catalog, open_lake
from warehouse.contracts.tables import ACCOUNTS, POSITIONS, SNAPSHOTS
from warehouse.marts.refresh import refresh
from warehouse.store import Origin, landing
from warehouse.store.compaction import compact

HOLDERS = 30
STEP = timedelta(minutes=47)  # a landing in two is of another day soon
AFTER = {"at": T0 + timedelta(days=90)}
# What a reader is told who goes on with a connection without refreshing it, see
# warehouse.catalog, and one who takes longer to open a lake than its files stay.
OUTDATED = re.compile(
    "No files found that match|No such file or directory|which the ledger lists"
)


def rows_of(number):
    """Return the positions of a landing: of everybody, half long and half short."""
    return [
        position(
            "BTC",
            holder,
            float(number) * (1 if holder % 2 else -1),
            100.0,
            100.0 - (1 if holder % 2 else -1) * (5 + holder),
        )
        for holder in range(1, HOLDERS + 1)
    ]


def night(lake, landings, pack, grace):
    """Land, correct, pack and bin."""
    for number in range(1, landings + 1):
        at = T0 + number * STEP
        if number % 3:
            land_snapshot(lake, rows_of(number), at)
        else:
            sweep(lake, number, at)
        if number % 4 == 0:
            refresh(lake)
        if number % pack == 0:
            compact(lake, datetime.now(at.tzinfo), grace=timedelta(seconds=grace))


def sweep(lake, number, at):
    """Land a sweep that asked everybody one after the other, then a correction of it."""
    part = f"sweep-{number}"
    for told in (number - 1, number):  # first as if nothing had changed
        rows = [
            row
            | {
                "snapshot_ts": at - timedelta(seconds=holder),
                "known_ts": at,
                "account": account(holder),
            }
            for holder, row in enumerate(rows_of(told), start=1)
        ]
        blank = {column.name: None for column in ACCOUNTS.columns}
        answers = [
            blank
            | {
                "state_ts": row["snapshot_ts"],
                "source": "test",
                "scope": "hyperliquid",
                "account": row["account"],
                "sweep_ts": at,
                "positions": 1,
                "known_ts": at,
            }
            for row in rows
        ]
        said = snapshot(
            at, rows, complete=False, accounts_asked=HOLDERS, accounts_failed=0, known_ts=at
        )
        origin = [Origin("venue", 1, f"{number}-{told}")]
        with landing(lake) as batches:
            batches.land(POSITIONS, batch(POSITIONS, rows), part, origin)
            batches.land(ACCOUNTS, batch(ACCOUNTS, answers), part, origin)
            batches.land(SNAPSHOTS, batch(SNAPSHOTS, [said]), part, origin)


def number_of(con):
    """Return the landing that a map is of; raise if it is of none, or of several."""
    rows = con.sql(
        "select sum(positions) as n, sum(size) as size, min(size / positions) as least, "
        "max(size / positions) as most, max(snapshot_ts) as newest "
        "from liquidation_map('BTC', $at)",
        params=AFTER,
    ).fetchall()[0]
    held, size, least, most, newest = rows
    assert held == HOLDERS, rows
    assert least == most, rows
    number = round(least)
    assert size == number * HOLDERS, rows
    # A sweep is landed first as if nothing had changed.
    at = (newest - T0) / STEP
    assert number in ({at} if at % 3 else {at, at - 1}), rows
    return number


@contextmanager
def opened_for(grace):
    """Let a reader be told that its files are gone if it took longer than they stay."""
    start = monotonic()
    try:
        yield
    except duckdb.Error as error:
        if not OUTDATED.search(str(error)) or monotonic() - start < grace:
            raise


def anew(lake, grace, stop, seen):
    while not stop.is_set():
        with opened_for(grace), open_lake(lake) as con:
            seen.append(number_of(con))


def refreshed(lake, grace, stop, seen):
    with open_lake(lake) as con:
        while not stop.is_set():
            with opened_for(grace):
                catalog.refresh(con)
                seen.append(number_of(con))


def holding(lake, grace, stop, seen):
    """Hold one connection for some questions: it shows the lake as it was, or says why not."""
    while not stop.is_set():
        with opened_for(grace), open_lake(lake) as con:
            first = number_of(con)
            seen.append(first)
            for _ in range(10):
                assert number_of(con) == first
                if stop.is_set():
                    break


def beside(lake, landings, pack, grace, readers):
    """Let readers ask while a night goes on in another process; return what they saw."""
    land_snapshot(lake, rows_of(1), T0 + STEP)
    stop, errors = threading.Event(), []
    seen = {reader.__name__: [] for reader in readers}

    def read(reader):
        try:
            reader(lake, grace, stop, seen[reader.__name__])
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=read, args=[one]) for one in readers]
    for one in threads:
        one.start()
    done = subprocess.run(
        [sys.executable, "-c", NIGHT, *map(str, (lake, landings, pack, grace))],
        capture_output=True,
        text=True,
    )
    stop.set()
    for one in threads:
        one.join()
    assert done.returncode == 0, done.stderr
    if errors:
        raise errors[0]
    return seen


NIGHT = (
    "import sys; from tests.warehouse.test_readers_beside_writers import night; "
    "night(sys.argv[1], *map(int, sys.argv[2:]))"
)


def holds(lake, seen, landings):
    for name, numbers in seen.items():
        assert numbers == sorted(numbers), name  # a map is never older than one seen before
    assert len(set(seen["anew"] + seen["refreshed"])) > 1
    with open_lake(lake) as con:
        assert number_of(con) == landings


def test_readers_see_whole_maps(tmp_path):
    seen = beside(tmp_path, 5, pack=4, grace=2, readers=(anew, refreshed))
    holds(tmp_path, seen, 5)


@pytest.mark.slow
def test_readers_see_whole_maps_all_night(tmp_path):
    landings = 48 if THOROUGH else 16
    seen = beside(tmp_path, landings, pack=8, grace=6, readers=(anew, refreshed, holding))
    holds(tmp_path, seen, landings)
    assert len(set(seen["refreshed"])) > landings / 6


def test_half_a_landing_would_be_seen(tmp_path):
    mixed = rows_of(2)[:7] + rows_of(3)[7:]
    land_snapshot(tmp_path, mixed, T0 + 2 * STEP)
    with open_lake(tmp_path) as con, pytest.raises(AssertionError):
        number_of(con)
    land_snapshot(tmp_path, rows_of(3)[:-1], T0 + 3 * STEP)
    with open_lake(tmp_path) as con, pytest.raises(AssertionError):
        number_of(con)
