"""This module lands many parts as one: all of a verb's parts, or none of them.

Parts are written to a folder inside the lake that readers do not look at, and renamed to their
places when the verb has read everything.  A fault in the last file of a batch then leaves the
lake as it was; only a kill between two renames leaves some parts new and some old, each whole.

Tables move in order of their names: ``positions`` are in place, and flushed, before the rows of
``snapshots`` that lead readers to them.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

PREFIX = ".landing-"


@contextmanager
def staged(lake: Path) -> Iterator[Path]:
    """Yield a lake beside ``lake`` whose parts move into it when the block has ended well."""
    lake.mkdir(parents=True, exist_ok=True)
    _sweep(lake)
    with TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-", dir=lake) as name:
        stage = Path(name)
        yield stage
        for table in sorted(stage.iterdir()):
            parts = sorted(table.glob("day=*/*.parquet"))
            places = in_lake(parts, stage, lake)
            for part, place in zip(parts, places, strict=True):
                place.parent.mkdir(parents=True, exist_ok=True)
                os.replace(part, place)
            for folder in {place.parent for place in places}:
                _flush(folder)


def in_lake(parts: Iterable[Path], stage: Path, lake: Path) -> list[Path]:
    """Return the places that parts written to ``stage`` will have."""
    return [lake / part.relative_to(stage) for part in parts]


def _flush(folder: Path) -> None:
    """Make the renames in ``folder`` outlive a loss of power."""
    entry = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(entry)
    finally:
        os.close(entry)


def _sweep(lake: Path) -> None:
    """Remove what killed verbs left behind; a living one's stays."""
    for folder in lake.glob(f"{PREFIX}*"):
        with suppress(ValueError, PermissionError):
            writer = int(folder.name.removeprefix(PREFIX).partition("-")[0])
            try:
                os.kill(writer, 0)
            except ProcessLookupError:
                shutil.rmtree(folder, ignore_errors=True)
