"""A fork server: imports once, then runs each verb in a child that may be killed.

One JSON object a line in, one out.  Nothing that starts a thread runs before the fork.
"""

import json
import os
import pathlib
import signal
import sys
import time
import traceback
from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq

import pipelines.steps.fills as fills
import pipelines.steps.market as market
import pipelines.steps.positions as positions
from tests.rows import T0, batch, position, snapshot
from warehouse import open_lake
from warehouse.contracts.tables import POSITIONS, SNAPSHOTS, TABLES
from warehouse.store import Lake, Origin, landing, local
from warehouse.store.compaction import compact

NOW = datetime(2100, 1, 1, tzinfo=UTC)
ORIGINS = [Origin("file", 1, "1")]


class FixedClock(datetime):
    """A moment that does not pass, so that even the ledger has the same bytes."""

    @classmethod
    def now(cls, tz=None):
        return NOW


def ingest(lake, archive):
    market.land_market(archive, lake)
    positions.land_reservoir(archive, lake)
    fills.land_hourly_fills(archive, lake)


def land_hours(lake, hours, size):
    """Land snapshots of hours as one batch of parts in two tables."""
    with landing(lake) as batches:
        for hour in hours:
            at = T0 + timedelta(hours=hour)
            rows = [position(holder=n, size=size, snapshot_ts=at) for n in range(1, 4)]
            batches.land(POSITIONS, batch(POSITIONS, rows), f"test-{hour}", ORIGINS)
            summary = [snapshot(at, rows, px_unknown=int(size))]
            batches.land(SNAPSHOTS, batch(SNAPSHOTS, summary), f"test-{hour}", ORIGINS)


VERBS = {
    "market": lambda lake, archive: market.land_market(archive, lake),
    "positions": lambda lake, archive: positions.land_reservoir(archive, lake),
    "fills": lambda lake, archive: fills.land_hourly_fills(archive, lake),
    "ingest": ingest,
    "hours": lambda lake, _: land_hours(lake, range(3), 1.0),
    "replace": lambda lake, _: land_hours(lake, range(1, 3), 2.0),
    "compact": lambda lake, _: compact(lake, NOW, grace=timedelta(0), orphan_age=timedelta(0)),
}


def look(lake):
    """Return what a reader sees: rows of each table and their checksum."""
    if not Lake.at(lake).exists():
        return {}
    with open_lake(lake) as con:
        seen = {}
        for table in TABLES:
            query = f"select count(*), sum(hash(part)::hugeint) from {table.name} as part"
            ((count, total),) = con.sql(query).fetchall()
            if count:
                seen[table.name] = [count, str(total)]
        return seen


class Points:
    """Counts the steps that change a disk, and kills the process at one of them."""

    def __init__(self, kill_at, after, tell):
        self.count, self.kill_at, self.after, self.tell = 0, kill_at, after, tell

    def watch(self, owner, name):
        real = getattr(owner, name)

        def step(*args, **kwargs):
            mode = kwargs.get("mode") or (*args, "r", "r")[1]
            if name == "open" and "w" not in mode:  # reading changes nothing
                return real(*args, **kwargs)
            self.count += 1
            ours = self.count == self.kill_at
            if ours and not self.after:
                self.end()
            try:
                return real(*args, **kwargs)
            finally:
                if ours:
                    self.end()

        setattr(owner, name, step)

    def end(self):
        if self.tell is not None:
            raise self.tell
        os.kill(os.getpid(), signal.SIGKILL)


WATCHED = [
    (os, "replace"),
    (os, "fsync"),
    (os, "unlink"),
    (os, "rmdir"),
    (os, "mkdir"),
    (pathlib.Path, "open"),
    (pathlib.Path, "write_bytes"),
    (pq.ParquetWriter, "__init__"),
    (pq.ParquetWriter, "write_table"),
    (pq.ParquetWriter, "close"),
    (local.fcntl, "flock"),
]


def run(verb, lake, archive="", point=None, after=False, full=False):
    """Run a verb in this process, and return how many steps it took."""
    sys.modules["warehouse.store.landing"].datetime = FixedClock
    told = OSError(28, "No space left on device") if full else None
    points = Points(point, after, told)
    for owner, name in WATCHED:
        points.watch(owner, name)
    try:
        VERBS[verb](lake, archive)
    except OSError as error:
        return {"points": points.count, "error": str(error)}
    return {"points": points.count}


def forked(work, delay=None):
    """Return what ``work`` returns in a child of its own, or how the child ended."""
    reader, writer = os.pipe()
    start = time.monotonic()
    child = os.fork()
    if not child:
        os.close(reader)
        status = 1
        try:
            with os.fdopen(writer, "w") as pipe:
                json.dump(work(), pipe)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(writer)
    if delay is not None:
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reader) as pipe:
        body = pipe.read()
    _, status = os.waitpid(child, 0)
    seconds = time.monotonic() - start
    answer = json.loads(body) if os.WIFEXITED(status) and not os.WEXITSTATUS(status) else None
    return {"answer": answer, "killed": os.WIFSIGNALED(status), "seconds": seconds}


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        asked = json.loads(line)
        what, delay = asked.pop("do"), asked.pop("delay", None)
        if what == "look":
            told = forked(lambda lake=asked["lake"]: look(lake))
        else:
            told = forked(lambda verb=what, asked=asked: run(verb, **asked), delay)
        answers.write(json.dumps(told) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
