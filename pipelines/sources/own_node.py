"""This module reads the fills that an own node writes to its disk, also while it writes them.

Docs: https://github.com/hyperliquid-dex/node, README, Flags (f256f31, as of 2026-08-22).  Under
``~/hl/data``, ``--write-fills`` writes ``node_fills/hourly/YYYYMMDD/H``, one account's fill a
line, and with ``--batch-by-block`` ``node_fills_by_block/hourly/YYYYMMDD/H``, one block a line.
The files are plain; those that were packed to save room end in ``.lz4``.

A follower of its own node has a fill when it happens, so it is known at its own time.

The file of the newest hour is still being written and may end within a line, which is left for
later.  A file that a later hour's file follows is closed: within a line it must not end.
"""

from pathlib import Path

import pyarrow as pa

from pipelines.sources import node_fill_rows, node_fills_by_user
from pipelines.sources.archive import Archive
from pipelines.sources.errors import SourceError
from pipelines.sources.hourly_files import HourlyFills, hourly_files, unpacked
from pipelines.sources.unknown import Unknown

PACKED = ".lz4"


def to_fills(body: bytes, path: str) -> tuple[pa.Table, Unknown]:
    """Translate the lines of one file, of whichever shape the first has.  Pure.

    Returns
    -------
    Table
        Columns of ``fills`` but ``source`` and ``known_ts``, in the order of the file.
    Unknown
        Fields that are not known: how often each came, and what each event held.

    Raises
    ------
    SourceError
        If a field is missing or mistyped, or a line is of the other shape; names file, line
        and field.

    >>> to_fills(b'{"events":[]}', "7")[0].num_rows, to_fills(b"", "8")[0].num_rows
    (0, 0)
    """
    if body.startswith(b"["):
        return node_fills_by_user.to_fills(body, path)
    return node_fill_rows.to_fills(body, path)


def whole_lines(body: bytes) -> bytes:
    r"""Return ``body`` up to the end of its last whole line.  Pure.

    >>> whole_lines(b'["0xa",{}]\n["0xb",'), whole_lines(b"[")
    (b'["0xa",{}]\n', b'')
    """
    return body[: body.rfind(b"\n") + 1]


def read(archive: Archive, path: str) -> bytes:
    """Return the lines of one file; without a half line where it is still being written.

    Raises
    ------
    SourceError
        If the file is closed and ends within a line, or is packed and not whole.
    """
    body = archive.read(path)
    if path.endswith(PACKED):
        body = unpacked(body, path)
    lines = whole_lines(body)
    if len(lines) < len(body) and not _still_written(archive, path):
        number = lines.count(b"\n") + 1
        raise SourceError(
            f"{path} line {number}: must end in a line feed, as the hour is closed, ends after "
            f"{len(body) - len(lines)} bytes"
        )
    return lines


def read_tail(path: Path, offset: int) -> tuple[bytes, int]:
    """Return what was added to a file since it was last read.

    Parameters
    ----------
    path
        File on this machine.
    offset
        Where to go on, bytes: 0, or what the last call returned.

    Returns
    -------
    bytes
        Whole lines from ``offset`` on; none if none was finished.
    int
        Where to go on next time.

    Raises
    ------
    SourceError
        If the file is shorter than what was read of it, or another one: ``offset`` is no line's
        start.
    FileNotFoundError
        If there is no such file.
    """
    with path.open("rb") as file:
        file.seek(max(offset - 1, 0))
        before = file.read(min(offset, 1))
        if offset and before != b"\n":
            found = "the file ends before it" if not before else "it is within a line"
            raise SourceError(f"{path}: byte {offset} must be the start of a line, {found}")
        lines = whole_lines(file.read())
    return lines, offset + len(lines)


def _still_written(archive: Archive, path: str) -> bool:
    """Return whether ``path`` is the newest hour's plain file."""
    paths = hourly_files(OWN_NODE, archive).paths
    return not path.endswith(PACKED) and bool(paths) and path == list(paths.values())[-1]


OWN_NODE = HourlyFills(
    name="own_node",
    bucket="hl/data",
    prefixes=("node_fills_by_block/hourly", "node_fills/hourly"),
    # While a file is being packed both are there, and only the plain one is whole.
    endings=("", PACKED),
    published_after=None,
    covers=None,
    read=read,
    to_rows=to_fills,
)
