"""This module is the place that a world is written to: a folder, or a bucket.

Each file appears whole or not at all.  The first file says which world the others are of: the
same one may be written again, over itself; another one is refused, and so is a place that holds
files no world wrote.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec
from botocore.exceptions import BotoCoreError

from pipelines.sources.archive import SIMULATED
from pipelines.sources.errors import UnreachableError

MARK = SIMULATED
_OPTIONS = {"s3": {"use_listings_cache": False}}


class Target:
    """A folder or ``s3://bucket/prefix``; S3 is reached as the usual ``AWS_*`` variables say.

    Parameters
    ----------
    root
        Where to.  A folder is made if it is not there, a bucket is not.
    world
        What the files will be made from.

    Raises
    ------
    ValueError
        If ``root`` is of another kind, or holds what this world did not write.
    UnreachableError
        If the bucket cannot be asked.
    """

    def __init__(self, root: str, world: Mapping[str, Any]) -> None:
        self.root = str(root)
        protocol = self.root.partition("://")[0] if "://" in self.root else "file"
        if protocol not in {"file", "s3"}:
            raise ValueError(f"target {self.root}: must be a folder or an s3:// URL")
        self._local = protocol == "file"
        self._fs, base = fsspec.url_to_fs(self.root, **_OPTIONS.get(protocol, {}))
        self._base = base.rstrip("/")
        self._world = json.dumps(world, indent=1, sort_keys=True) + "\n"
        self.files = self.bytes = 0
        with self._reached():
            self._refuse_others()

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Say in one line why a bucket cannot be reached."""
        try:
            yield
        except FileNotFoundError as error:
            raise FileNotFoundError(f"target {self.root}: no such bucket") from error
        except (BotoCoreError, PermissionError) as error:
            reason = str(error).replace("\n", " ")
            raise UnreachableError(f"target {self.root}: {reason}") from error

    def _refuse_others(self) -> None:
        mark = f"{self._base}/{MARK}"
        if self._fs.exists(mark):
            theirs = self._fs.cat_file(mark).decode()
            if theirs != self._world:
                raise ValueError(
                    f"target {self.root}: holds the files of another world "
                    f"({_differences(theirs, self._world)}); name another target, or remove it"
                )
        elif self._fs.exists(self._base) and self._fs.find(self._base, maxdepth=3):
            raise ValueError(
                f"target {self.root}: holds files that are of no simulated world; name another"
            )

    def claim(self) -> None:
        """Put up the mark."""
        with self._reached():
            self.put({MARK: self._world.encode()})
        self.files = self.bytes = 0

    def put(self, files: Mapping[str, bytes]) -> None:
        """Write files by their paths below the root, each whole or not at all."""
        self.files += len(files)
        self.bytes += sum(map(len, files.values()))
        if self._local:
            for path, body in files.items():
                swap_in(Path(self._base) / path, body)
        elif files:
            # Many at a time: a bucket answers each in its own time.
            self._fs.pipe({f"{self._base}/{path}": body for path, body in files.items()})


def swap_in(path: Path, body: bytes) -> None:
    """Put a file in its place, whole; not flushed, for its seed can make it again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.parent / f".{path.name}.{os.getpid()}.draft"
    try:
        draft.write_bytes(body)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _differences(theirs: str, ours: str) -> str:
    """Say in what two worlds differ.

    >>> _differences('{"seed": 1, "coins": 2}', '{"seed": 3, "coins": 2}')
    'seed 1 instead of 3'
    """
    try:
        there = json.loads(theirs)
    except json.JSONDecodeError:
        return f"its {MARK} cannot be read"
    if not isinstance(there, dict):
        return f"its {MARK} cannot be read"
    here = json.loads(ours)
    names = [name for name in here if there.get(name) != here[name]]
    return ", ".join(f"{name} {there.get(name)} instead of {here[name]}" for name in names)
