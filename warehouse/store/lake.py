"""This module says what a lake can do with bytes, wherever they lie.

Paths are relative to the lake's root, with ``/`` between their parts.  Two kinds of lake keep
the same promises: a folder (:mod:`warehouse.store.local`) and a bucket
(:mod:`warehouse.store.bucket`).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

LEDGER = "_ledger"
Lost = Callable[[Iterable[str]], set[str]]


class NoLake(FileNotFoundError):
    """There is no lake where one was asked for."""


class NoRoom(OSError):
    """A disk is full; what was being written does not count."""


class Lake(ABC):
    """A root under which parts lie.

    Attributes
    ----------
    root
        Folder or ``s3://`` URL, as it was named.
    """

    root: str

    @staticmethod
    def at(where: "Lake | Path | str") -> "Lake":
        """Return the lake at a folder or an ``s3://bucket/prefix``; it need not be there yet.

        Raises
        ------
        ValueError
            If the URL is of another kind.
        """
        if isinstance(where, Lake):
            return where
        # Each kind brings its own libraries: a folder needs none of those of a bucket.
        if "://" not in str(where):
            from warehouse.store.local import LocalLake

            return LocalLake(where)
        if str(where).startswith("s3://"):
            from warehouse.store.bucket import BucketLake

            return BucketLake(str(where))
        kind = str(where).partition("://")[0]  # what follows may hold a secret
        raise ValueError(f"lake {kind}://…: must be a folder or an s3:// URL")

    def __str__(self) -> str:
        return self.root

    @abstractmethod
    def exists(self) -> bool:
        """Return whether there is a lake, which an empty folder is too."""

    @abstractmethod
    def place(self, path: str) -> Any:
        """Return where ``path`` lies: a ``Path`` of a folder, a URL of a bucket."""

    @abstractmethod
    def pattern(self, path: str) -> str:
        """Return what DuckDB opens to read exactly the file at ``path``."""

    @property
    @abstractmethod
    def readable(self) -> str:
        """Return the folder or URL below which DuckDB reads everything of this lake."""

    @abstractmethod
    def connect(self, con: "duckdb.DuckDBPyConnection") -> "Lost":
        """Teach a connection to read this lake as it is now.

        Returns
        -------
        Callable
            Paths -> those at which there is no file.
        """

    @abstractmethod
    def read(self, path: str) -> bytes | None:
        """Return the bytes at ``path``; None: there is no such file."""

    @abstractmethod
    def sizes(self, prefix: str) -> dict[str, int]:
        """Return the files below ``prefix`` and how many bytes each has, in order of path."""

    @abstractmethod
    def changed(self, prefix: str) -> dict[str, datetime]:
        """Return the files below ``prefix`` and when each was written, by the lake's clock."""

    @abstractmethod
    def stage(self) -> AbstractContextManager[Path]:
        """Return a folder on this machine, for drafts no reader looks at; gone afterwards."""

    @abstractmethod
    def publish(self, drafts: Iterable[tuple[Path, str]]) -> None:
        """Put drafts of :meth:`stage` at their paths, each whole; they outlive a power loss."""

    @abstractmethod
    def remove(self, paths: Iterable[str]) -> None:
        """Remove files; one that is gone already is no error."""

    @abstractmethod
    def swap(self, path: str, change: Callable[[bytes | None], bytes | None]) -> None:
        """Replace the file at ``path`` by what ``change`` makes of it, as one step.

        Nobody else's change is lost: others wait, or ``change`` is called again with what they
        wrote.  If it returns None, or raises, the file stays as it is.
        """

    @staticmethod
    def checked(path: str) -> str:
        """Return ``path``, or raise if it leaves the lake."""
        if path[:1] == "/" or ".." in path.split("/") or "\0" in path or "\\" in path:
            raise ValueError(f"path {path!r} leaves the lake")
        return path

    def parquet(self, table: str) -> Iterator[str]:
        """Yield the paths of all part files of a table, those nobody lists too."""
        return (path for path in self.sizes(table) if path.endswith(".parquet"))
