"""The steps that change a disk or a bucket: each can be the last one of a process."""

import os
import pathlib
import signal

import pyarrow.parquet as pq
from aiobotocore.client import AioBaseClient

from warehouse.store import local

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
CHANGES = ("Put", "Delete", "Copy", "Create", "Complete", "Upload")  # what S3 is told to do


class Points:
    """Counts the steps, and kills the process at one of them."""

    def __init__(self, kill_at, after, tell):
        self.count, self.kill_at, self.after, self.tell = 0, kill_at, after, tell

    def watch(self, owner, name):
        real = getattr(owner, name)

        def step(*args, **kwargs):
            mode = kwargs.get("mode") or (*args, "r", "r")[1]
            if name == "open" and "w" not in mode:  # reading changes nothing
                return real(*args, **kwargs)
            ours = self.comes()
            try:
                return real(*args, **kwargs)
            finally:
                if ours:
                    self.end()

        setattr(owner, name, step)

    def watch_bucket(self):
        real = AioBaseClient._make_api_call

        async def step(client, operation, arguments):
            if not operation.startswith(CHANGES):
                return await real(client, operation, arguments)
            ours = self.comes()
            try:
                return await real(client, operation, arguments)
            finally:
                if ours:
                    self.end()

        AioBaseClient._make_api_call = step

    def comes(self):
        """Count a step; return whether it is the last, and not the one before it."""
        self.count += 1
        ours = self.count == self.kill_at
        if ours and not self.after:
            self.end()
        return ours

    def end(self):
        if self.tell is not None:
            raise self.tell
        os.kill(os.getpid(), signal.SIGKILL)


def watched(point=None, after=False, full=False, bucket=False):
    """Watch this process: it ends at a step, or finds the disk full there."""
    told = OSError(28, "No space left on device") if full else None
    points = Points(point, after, told)
    if bucket:  # drafts on this machine are nobody's
        points.watch_bucket()
        return points
    for owner, name in WATCHED:
        points.watch(owner, name)
    return points
