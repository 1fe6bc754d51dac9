"""This module reads the fills that the venue's nodes write, one file an hour.

Docs: https://hyperliquid.gitbook.io/hyperliquid-docs/historical-data and, for the fields of a
fill, https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint (as of
2026-08-22).  ``node_fills_by_block/hourly/YYYYMMDD/H.lz4``, ``H`` without a leading 0, is LZ4
of one JSON object a line, a block: ``{"local_time", "block_time", "block_number", "events":
[["0xaccount", {fill}], …]}``.  Each event is one account's side of a trade.

Files are cut by when the node wrote them, so a fill of hour ``H`` may be in a neighbour's file.
A forced order in the book keeps the direction ``Close …`` and only its ``liquidation`` object
tells, on both sides' fills; ``Auto-Deleveraging`` fills carry the method ``backstop`` there.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import lz4.frame

from pipelines.sources.archive import Archive
from pipelines.sources.errors import SourceError

BUCKET = "hl-mainnet-node-data"
PREFIX = "node_fills_by_block/hourly"
FILE = re.compile(rf"{PREFIX}/(\d{{8}})/(\d|1\d|2[0-3])\.lz4")
HOUR = timedelta(hours=1)
# The file of hour H is in the archive about 2 minutes after hour H + 1 has closed.
PUBLISHED_AFTER = 2 * HOUR + timedelta(minutes=2)


class HourlyFiles(NamedTuple):
    """What an archive holds: the path of each hour, in order, and names nobody documented."""

    paths: dict[datetime, str]
    odd: list[str]


def node_fills(root: str) -> Archive:
    """Return the archive at ``root``, which holds the bucket's paths or the bucket's folder."""
    return Archive.holding(root, BUCKET, PREFIX)


def hourly_files(archive: Archive) -> HourlyFiles:
    """Return the files of ``archive`` by the hour they are named after."""
    paths, odd = {}, []
    for path in archive.files(PREFIX):
        if (hour := _hour(path)) is None:
            odd.append(path)
        else:
            paths[hour] = path
    return HourlyFiles(dict(sorted(paths.items())), odd)


def _hour(path: str) -> datetime | None:
    """Return the hour a file is named after.

    >>> _hour("node_fills_by_block/hourly/20251010/7.lz4").isoformat()
    '2025-10-10T07:00:00+00:00'
    """
    if (match := FILE.fullmatch(path)) is None:
        return None
    day, hour = match.groups()
    try:
        return datetime.strptime(day, "%Y%m%d").replace(hour=int(hour), tzinfo=UTC)
    except ValueError:
        return None


def read(archive: Archive, path: str) -> bytes:
    """Return the lines of one file, for :func:`~pipelines.sources.node_fill_rows.to_fills`."""
    return unpacked(archive.read(path), path)


def unpacked(packed: bytes, path: str) -> bytes:
    """Return what the LZ4 frames in ``packed`` hold.

    Raises
    ------
    SourceError
        If a frame is cut short or is none.
    """
    parts: list[bytes] = []
    while packed or not parts:
        frame = lz4.frame.LZ4FrameDecompressor()
        try:
            parts.append(frame.decompress(packed))
        except RuntimeError as error:
            raise SourceError(f"{path}: must be LZ4 frames: {error}") from error
        if not frame.eof:
            raise SourceError(f"{path}: must be whole LZ4 frames, ends within one")
        packed = frame.unused_data or b""
    return b"".join(parts)
