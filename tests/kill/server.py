"""A fork server: imports once, then runs each verb in a child that may be killed.

One JSON object a line in, one out.  Nothing that starts a thread runs before the fork.
"""

import json
import os
import signal
import sys
import time
import traceback
from datetime import UTC, datetime

from tests.kill.clocks import freeze
from tests.kill.points import watched
from tests.kill.verbs import VERBS
from warehouse import open_lake
from warehouse.contracts.tables import TABLES
from warehouse.store import Lake, bucket, local

NOW = datetime(2100, 1, 1, tzinfo=UTC)


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


def run(verb, lake, about, at=None, **how):
    """Run a verb in this process, and return how many steps it took."""
    freeze(datetime.fromisoformat(at) if at else NOW)
    points = watched(**how, bucket=lake.startswith("s3://"))
    try:
        VERBS[verb](lake, **about)
    except OSError as error:
        return {"points": points.count, "error": str(error)}
    return {"points": points.count}


def states(verb, lake, about, at=None):
    """Run a verb, and return what a reader sees after each change of a ledger."""
    freeze(datetime.fromisoformat(at) if at else NOW)
    seen = [look(lake)]
    for kind in (local.LocalLake, bucket.BucketLake):

        def swapped(one, path, change, real=kind.swap):
            real(one, path, change)
            if (now := look(lake)) != seen[-1]:
                seen.append(now)

        kind.swap = swapped
    VERBS[verb](lake, **about)
    return seen


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


DO = {"run": run, "states": states, "look": look}


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        asked = json.loads(line)
        do, delay = DO[asked.pop("do")], asked.pop("delay", None)
        told = forked(lambda do=do, asked=asked: do(**asked), delay)
        answers.write(json.dumps(told) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
