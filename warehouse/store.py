"""This module writes parts of the lake, each whole or not at all.

A part is the file of one batch on one day: ``TABLE/day=YYYY-MM-DD/PART.parquet``.  It is named
after the batch, not after the run, so that landing a batch again replaces its file and leaves
the same bytes.  A part is drafted under a name that readers do not look at, flushed to the
disk and renamed over its predecessor: a reader sees the old part or the new one.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from warehouse.contracts.table import ContractError, Table

# Small, so that a reader of one coin skips the others; measured on 120 coins x 24 snapshots:
# 8192 rows read one coin 3x faster than 65536 and cost 2 % more bytes.
ROWS_PER_GROUP = 8192
PART = re.compile(r"[a-z0-9][a-z0-9_.=-]{0,120}")


def land(root: Path, table: Table, batch: pa.Table, part: str) -> list[Path]:
    """Replace one part of each day that ``batch`` touches, and return the files.

    Parameters
    ----------
    root
        Folder of the lake; made if it is not there.
    table
        Contract the batch is held to before anything is written.
    batch
        Rows without ``day``, in any order.
    part
        Name of the batch: lower-case letters, digits and ``_ . = -``.

    Raises
    ------
    ContractError
        If a row breaks the contract.  Nothing has been written then.
    ValueError
        If ``part`` is no name for a file.
    """
    if not PART.fullmatch(part):
        raise ValueError(f"part {part!r} of {table.name} must match {PART.pattern}")
    batch = table.check(batch)
    days = batch[table.time].cast(pa.timestamp("us")).cast(pa.date32(), safe=False)
    files = []
    for day in sorted(pc.unique(days).to_pylist()):
        folder = root / table.name / f"day={day:%Y-%m-%d}"
        files.append(folder / f"{part}.parquet")
        with _swapped_in(files[-1]) as draft:
            rows = batch.filter(pc.equal(days, pa.scalar(day)))
            pq.write_table(
                rows,
                draft,
                compression="zstd",
                row_group_size=ROWS_PER_GROUP,
                write_statistics=True,
            )
    return files


@contextmanager
def _swapped_in(path: Path) -> Iterator[Path]:
    """Yield a draft beside ``path`` that takes its place once the block has ended well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep_drafts(path)
    draft = path.parent / f".{path.stem}.{os.getpid()}.draft"
    try:
        yield draft
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _sweep_drafts(path: Path) -> None:
    """Remove what killed writers of this part left behind; a living writer's stays."""
    for draft in path.parent.glob(f".{path.stem}.*.draft"):
        with suppress(ValueError):
            writer = int(draft.suffixes[-2].lstrip("."))
            try:
                os.kill(writer, 0)
            except ProcessLookupError:
                draft.unlink(missing_ok=True)
            except PermissionError:
                continue


__all__ = ["ContractError", "land"]
