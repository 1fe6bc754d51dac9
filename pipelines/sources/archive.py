"""This module reads archives, which are folders or buckets of files.

One class for a local folder and for ``s3://bucket/prefix``: what reads the one reads the
other.  Paths are relative to the archive's root, with ``/`` between their parts.  S3 takes its
endpoint, region and credentials from the usual ``AWS_*`` variables and files; reading a
requester-pays bucket costs its reader money, which is why sizes can be asked first.
"""

import re
from datetime import datetime
from pathlib import PurePosixPath
from typing import BinaryIO, NamedTuple, cast

import fsspec
from botocore.exceptions import BotoCoreError

from pipelines.sources.errors import UnreachableError, one_line, public
from warehouse.store.ledger import Origin

# Listings are asked anew each time: a job that runs for years must see what was added.
_OPTIONS = {"s3": {"requester_pays": True, "use_listings_cache": False}}


# A file at the root of what a simulated venue wrote.
SIMULATED = "simulated.json"
# Names of the buckets, and of the folder of market files, that a mirror keeps side by side.
BUCKETS = frozenset(
    {
        "artemis-hyperliquid-data",
        "hl-mainnet-node-data",
        "hydromancer-reservoir",
        "hyperliquid-archive",
        "market",
    }
)


def label_of(root: str, source: str) -> str:
    """Return what rows from ``root`` say of where they came from: made-up ones always say so.

    Parameters
    ----------
    root
        Folder or URL; the mark lies in it, or, where it is one bucket of several, beside it.
    source
        What they say otherwise.
    """
    above, _, name = str(root).rstrip("/").rpartition("/")
    beside = name in BUCKETS and not above.endswith(":/")  # a bucket's own root has no beside
    places = [str(root), above or "."] if beside else [str(root)]
    return "simulated" if any(Archive(place).has(SIMULATED) for place in places) else source


class Listed(NamedTuple):
    """What a listing says of a file: bytes, and when it was put there (a folder: null)."""

    size: int
    put_ts: datetime | None


class Archive:
    """A read-only tree of files under a root.

    Parameters
    ----------
    root
        A local folder, or ``s3://bucket`` with or without a prefix.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or nothing in the bucket under the prefix.
    UnreachableError
        If the bucket cannot be asked.
    """

    def __init__(self, root: str) -> None:
        self.root = str(root)
        protocol = self.root.partition("://")[0] if "://" in self.root else "file"
        if protocol not in {"file", "s3"}:
            raise ValueError(f"root {public(self.root)}: must be a folder or an s3:// URL")
        bucket = self.root.removeprefix("s3://").partition("/")[0]
        # A key may hold a slash; a bucket's name holds neither sign, unless it is an ARN.
        if protocol == "s3" and re.match("(?!arn:).*[:@]", bucket):
            raise ValueError(f"root {public(self.root)}: must hold no user and no key")
        self._seen: dict[str, Origin] = {}
        self._fs, base = fsspec.url_to_fs(self.root, **_OPTIONS.get(protocol, {}))
        self._base = base.rstrip("/")
        try:
            there = self._fs.isdir(self._base or "/")
        except (BotoCoreError, PermissionError) as error:
            reason = one_line(public(error))
            raise UnreachableError(f"root {public(self.root)}: {reason}") from error
        if not there:
            raise FileNotFoundError(f"root {public(self.root)}: no such folder")

    @classmethod
    def holding(cls, root: str, bucket: str, prefix: str) -> "Archive":
        """Return the archive at ``root``, or at ``root/bucket``, that holds ``prefix``.

        Sources document their paths inside a bucket.  A mirror often keeps several buckets
        side by side, each a folder of the bucket's name; both roots are understood.

        Raises
        ------
        FileNotFoundError
            If neither holds the folder ``prefix``; the message says what was looked for.
        """
        outer = cls(root)
        if outer.has(prefix):
            return outer
        if outer.has(f"{bucket}/{prefix}"):
            return cls(f"{outer.root.rstrip('/')}/{bucket}")
        raise FileNotFoundError(
            f"root {outer.root}: holds neither {prefix}/ nor {bucket}/{prefix}/"
        )

    def __repr__(self) -> str:
        return f"Archive({self.root!r})"

    def has(self, path: str) -> bool:
        """Return whether there is a file or a folder at ``path``."""
        return bool(self._fs.exists(self._full(path)))

    def files(self, prefix: str = "", suffix: str = "") -> list[str]:
        """Return the files below the folder ``prefix`` whose names end in ``suffix``, sorted.

        A folder that is not there holds no files.
        """
        return list(self.sizes(prefix, suffix))

    def sizes(self, prefix: str = "", suffix: str = "") -> dict[str, int]:
        """Return what :meth:`files` does, with the size of each file in bytes."""
        return {path: file.size for path, file in self.listed(prefix, suffix).items()}

    def listed(self, prefix: str = "", suffix: str = "") -> dict[str, Listed]:
        """Return what :meth:`files` does, with what the listing says of each file."""
        found = self._fs.find(self._full(prefix), detail=True)
        files = {
            self._relative(full): Listed(int(entry["size"]), entry.get("LastModified"))
            for full, entry in found.items()
        }
        return {path: files[path] for path in sorted(files) if path.endswith(suffix)}

    def folders(self, prefix: str = "") -> list[str]:
        """Return the folders directly in the folder ``prefix``, sorted."""
        try:
            entries = self._fs.ls(self._full(prefix), detail=True)
        except FileNotFoundError:
            return []
        return sorted(
            self._relative(entry["name"]) for entry in entries if entry["type"] == "directory"
        )

    def open(self, path: str) -> BinaryIO:
        """Return the file at ``path``, open for reading bytes; S3 is read in ranges."""
        return cast(BinaryIO, self._fs.open(self._full(path), "rb"))

    def read(self, path: str) -> bytes:
        """Return all bytes of the file at ``path``."""
        body = cast(bytes, self._fs.cat_file(self._full(path)))
        self._seen[path] = Origin.of(self.url(path), body)
        return body

    def origins(self, path: str) -> list[Origin]:
        """Return what was read at ``path``, or of the folder ``path``: URL, size and hash.

        Of a file that was not read whole: the hash a bucket gives it, else its own.
        """
        if path not in self._seen:
            below = [one for one in sorted(self._seen) if one.startswith(f"{path}/")]
            if below:
                return [self._seen[one] for one in below]
            entry = self._fs.info(self._full(path))
            if tag := str(entry.get("ETag", "")).strip('"'):
                self._seen[path] = Origin(self.url(path), int(entry["size"]), f"etag:{tag}")
            else:
                self.read(path)
        return [self._seen[path]]

    def forget(self) -> None:
        """Forget the origins of what was read: those of a long range would fill the memory."""
        self._seen.clear()

    def url(self, path: str) -> str:
        """Return the whole name of the file at ``path``, as its :class:`Origin` has it."""
        return f"{self.root.rstrip('/')}/{path}"

    @property
    def paid(self) -> bool:
        """Return whether reading may cost money: every bucket is taken for requester-pays."""
        return self.root.startswith("s3://")

    def size(self, path: str) -> int:
        """Return the size of the file at ``path``, in bytes."""
        return int(self._fs.size(self._full(path)))

    def _full(self, path: str) -> str:
        """Return the path the filesystem knows; refuse one that leaves the root."""
        parts = PurePosixPath(path)
        if parts.is_absolute() or ".." in parts.parts:
            raise ValueError(f"path {path!r} leaves the archive {self.root}")
        return f"{self._base}/{path}".rstrip("/")

    def _relative(self, full: str) -> str:
        """Return a listed path relative to the root; refuse one that leaves it."""
        path = full.rstrip("/").removeprefix(f"{self._base}/")
        if path != "" and (path.startswith("/") or ".." in path.split("/")):
            raise ValueError(f"path {path!r} leaves the archive {self.root}")
        return path
