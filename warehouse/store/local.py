"""This module keeps a lake in a folder.

A file is drafted beside its place, flushed to the disk and renamed over its predecessor: a
reader sees the old file or the new one.  Who changes the ledger holds a lock, which the system
lets go when its holder dies.
"""

import errno
import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from warehouse.store.lake import LEDGER, Lake, Lost, NoRoom

if TYPE_CHECKING:
    import duckdb

STAGE = ".landing-"


class LocalLake(Lake):
    """A lake in a folder, which is made when something is first written."""

    def __init__(self, root: Path | str) -> None:
        self.root = str(root)
        self.folder = Path(root)

    def exists(self) -> bool:
        """Return whether the folder is there and holds a lake or nothing yet."""
        if not self.folder.is_dir():
            return False
        names = {entry.name for entry in self.folder.iterdir() if entry.name[0] != "."}
        return not names or LEDGER in names

    def place(self, path: str) -> Path:
        """Return the file's path."""
        return self.folder / self.checked(path)

    def pattern(self, path: str) -> str:
        """Return the path with the characters that a glob would expand made literal."""
        return re.sub(r"([*?\[])", r"[\1]", str(self.place(path).absolute()))

    @property
    def readable(self) -> str:
        """Return the folder, absolute."""
        return str(self.folder.absolute())

    def connect(self, con: "duckdb.DuckDBPyConnection") -> Lost:
        """Return what tells which files are gone; DuckDB reads files by itself."""
        return lambda paths: {
            path for path in paths if not os.path.isfile(f"{self.folder}/{self.checked(path)}")
        }

    def read(self, path: str) -> bytes | None:
        """Return the file's bytes, or None."""
        try:
            return self.place(path).read_bytes()
        except FileNotFoundError:
            return None

    def sizes(self, prefix: str) -> dict[str, int]:
        """Return files below ``prefix`` and their sizes; hidden ones are drafts, left out."""
        return {path: told.st_size for path, told in self._files(prefix).items()}

    def changed(self, prefix: str) -> dict[str, datetime]:
        """Return files below ``prefix`` and when each was written."""
        return {
            path: datetime.fromtimestamp(told.st_mtime, UTC)
            for path, told in self._files(prefix).items()
        }

    def _files(self, prefix: str) -> dict[str, os.stat_result]:
        found = {}
        for folder, folders, names in os.walk(self.place(prefix)):
            folders[:] = [name for name in folders if name[0] != "."]
            for name in names:
                if name[0] != ".":
                    file = Path(folder, name)
                    with suppress(FileNotFoundError):
                        found[file.relative_to(self.folder).as_posix()] = file.stat()
        return dict(sorted(found.items()))

    @contextmanager
    def stage(self) -> Iterator[Path]:
        """Yield a folder in the lake, on the same disk; sweep up what the killed left."""
        with self._room():
            self.folder.mkdir(parents=True, exist_ok=True)
            self._sweep()
            prefix = f"{STAGE}{os.getpid()}-"
            with TemporaryDirectory(prefix=prefix, dir=self.folder) as name:
                yield Path(name)

    def publish(self, drafts: Iterable[tuple[Path, str]]) -> None:
        """Flush drafts and rename them to their places, then flush the folders."""
        folders = set()
        for draft, path in drafts:
            with draft.open("rb") as written:
                os.fsync(written.fileno())
            place = self.place(path)
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(draft, place)
            folders |= {place.parent, place.parent.parent}
        for folder in sorted(folders):
            _flush(folder)

    def remove(self, paths: Iterable[str]) -> None:
        """Remove files, and the folders that are empty then."""
        for path in paths:
            place = self.place(path)
            place.unlink(missing_ok=True)
            for folder in list(place.parents)[:2]:
                with suppress(OSError):  # not empty
                    if folder != self.folder:
                        folder.rmdir()

    def swap(self, path: str, change: Callable[[bytes | None], bytes | None]) -> None:
        """Change the file under a lock."""
        place = self.place(path)
        with self._room():
            place.parent.mkdir(parents=True, exist_ok=True)
            with (place.parent / ".lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if (body := change(self.read(path))) is None:
                    return
                draft = place.with_name(f".{place.name}.draft")  # ours alone, under the lock
                with draft.open("wb") as file:
                    file.write(body)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(draft, place)
                _flush(place.parent)

    @contextmanager
    def _room(self) -> Iterator[None]:
        """Say of a full disk what a person can do about it."""
        try:
            yield
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise NoRoom(
                f"lake {self.root}: the disk is full; what was being written does not count: "
                "make room, then run it again"
            ) from error

    def _sweep(self) -> None:
        """Remove the drafts of killed writers; a living one's stay."""
        for folder in self.folder.glob(f"{STAGE}*"):
            with suppress(ValueError, PermissionError):
                writer = int(folder.name.removeprefix(STAGE).partition("-")[0])
                try:
                    os.kill(writer, 0)
                except ProcessLookupError:
                    shutil.rmtree(folder, ignore_errors=True)


def _flush(folder: Path) -> None:
    """Make the renames in ``folder`` outlive a loss of power."""
    entry = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(entry)
    finally:
        os.close(entry)
