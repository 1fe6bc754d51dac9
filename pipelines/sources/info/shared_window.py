"""This module shares a window among the processes of a user on this machine.

The venue counts by address, not by process or lake: an hour's job, a night's and a person at
the command line spend the same minute.  So the window lies in a small file in the user's
cache, one a venue, read and written under a lock that the system lets go when its holder dies.
Its times are of the clock that runs since the machine started, which never jumps; what was
entered before the last start lies far ahead of it or a minute back, and is dropped.
"""

import fcntl
import os
import re
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipelines.sources.errors import public
from pipelines.sources.info.window import OwnWindow, Taken, Window

HEAD, EACH = struct.Struct("<dq"), struct.Struct("<dq")  # pause and refusals; time and weight
AHEAD = 3_600.0  # s; who waits is entered ahead of now, but never by so much
OLD = 86_400.0  # s after which a file that nobody touched goes


class SharedWindow:
    """A window in a file, which is made if it is not there.

    Raises
    ------
    OSError
        If the file cannot be made.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        file.parent.mkdir(parents=True, exist_ok=True)
        with self.opened():
            pass

    @contextmanager
    def opened(self) -> Iterator[Window]:
        """Yield the window; others wait until the block has ended."""
        place = self._locked()
        try:
            window = _parsed(os.pread(place, os.fstat(place).st_size, 0), time.monotonic())
            yield window
            body = _written(window)
            os.pwrite(place, body, 0)
            os.ftruncate(place, len(body))
        finally:
            os.close(place)

    def _locked(self) -> int:
        """Return the open file, locked; not one that somebody has just removed."""
        while True:
            place, there = os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), 0
            try:
                fcntl.flock(place, fcntl.LOCK_EX)
                there = os.fstat(place).st_nlink
            finally:
                if not there:
                    os.close(place)
            if there:
                return place


def window_of(url: str, folder: Path) -> tuple[SharedWindow | OwnWindow, str | None]:
    """Return the window of a venue, and why it is this process's alone; None: it is shared."""
    try:
        window = SharedWindow(folder / file_name(url))
        _sweep(folder)
    except OSError as error:
        return OwnWindow(), f"{folder}: {error.strerror or error}"
    return window, None


def file_name(url: str) -> str:
    """Return the name of the file of a venue: its host and port, nothing that is a secret.

    >>> file_name("https://me:k/ey@Api.Venue.xyz/a?token=t"), file_name("http://[::1]:3001")
    ('api.venue.xyz', '-1-3001')
    """
    host = re.split("[/?#]", public(url).partition("://")[2])[0]
    return re.sub(r"[^a-z0-9.]+", "-", host.lower())


def _sweep(folder: Path) -> None:
    for file in folder.iterdir():
        with suppress(FileNotFoundError):
            if time.time() - file.stat().st_mtime > OLD:
                file.unlink()


def _parsed(body: bytes, now: float) -> Window:
    """Return what a file says; what it cannot have said since the machine started is left out.

    >>> window = Window([Taken(5.0, 20), Taken(9e9, 2)], 7.0, 1)
    >>> _parsed(_written(window) + b"cut", 10.0)
    Window(taken=[Taken(at=5.0, weight=20)], paused_until=7.0, refusals=1)
    """
    if len(body) < HEAD.size:
        return Window()
    paused_until, refusals = HEAD.unpack_from(body)
    whole = len(body) - (len(body) - HEAD.size) % EACH.size
    taken = map(Taken._make, EACH.iter_unpack(body[HEAD.size : whole]))
    window = Window([one for one in taken if one.at < now + AHEAD])
    if paused_until < now + AHEAD:
        window.paused_until, window.refusals = paused_until, refusals
    return window


def _written(window: Window) -> bytes:
    head = HEAD.pack(window.paused_until, window.refusals)
    return head + b"".join(EACH.pack(*one) for one in window.taken)
