"""This module finds and reads fills in archives that are cut by the hour.

What differs from one archive to the next is one description, :class:`HourlyFills`; the
descriptions are listed in :mod:`pipelines.sources.hourly_fills`.  A file is named after its
hour, ``PREFIX/YYYYMMDD/H`` and an ending, ``H`` without a leading 0, in UTC; an archive whose
hours are named otherwise brings its own listing.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import lz4.frame
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.sources.archive import Archive
from pipelines.sources.errors import SourceError
from pipelines.sources.unknown import Unknown
from warehouse.contracts.table import TS

HOUR = timedelta(hours=1)
_NAME = re.compile(r"(\d{8})/(\d|1\d|2[0-3])(\D.*)?", re.ASCII)


class HourlyFills(NamedTuple):
    """One archive of fills, as its documentation describes it.

    Attributes
    ----------
    name
        What its rows say of where they came from, ``source``.
    bucket
        Bucket it lies in, or the folder that a mirror keeps in the bucket's place.
    prefixes
        Folders that hold its days.
    endings
        What may follow the hour in a file's name, the preferred one first.
    published_after
        How long after the start of its hour a file is in the archive; null: there is no
        archive to wait for, a fill is known at its own time.
    covers
        First and last hour that there are files of, as documented.  A last hour of null: it
        still grows.  Null: no hours are documented.
    read
        ``(archive, path)`` -> the file's lines.
    to_rows
        ``(lines, path)`` -> columns of ``fills`` but ``source`` and ``known_ts``, and the
        fields that are not known.  Pure.
    listing
        ``archive`` -> its hours; null: they are files named as above.
    named
        How an hour is named below a prefix, without its ending, for people.
    """

    name: str
    bucket: str
    prefixes: tuple[str, ...]
    endings: tuple[str, ...]
    published_after: timedelta | None
    covers: tuple[datetime, datetime | None] | None
    read: Callable[[Archive, str], bytes]
    to_rows: Callable[[bytes, str], tuple[pa.Table, Unknown]]
    listing: Callable[[Archive], "HourlyFiles"] | None = None
    named: str = "YYYYMMDD/H"

    @property
    def layout(self) -> str:
        """Return how its files are named, for people."""
        return " or ".join(
            f"{prefix}/{self.named}{self.endings[0]}" for prefix in self.prefixes
        )

    def known_ts(self, hour: datetime, time_ts: pa.ChunkedArray) -> pa.ChunkedArray:
        """Return when a follower could have had the fills of the file of ``hour``.

        Parameters
        ----------
        hour
            The hour the file is named after.
        time_ts
            The fills' own times, shape ``(n,)``.

        Returns
        -------
        ChunkedArray
            UTC microseconds, shape ``(n,)``; never before the fill's own time.
        """
        if self.published_after is None:
            return time_ts.cast(TS)
        published = pa.scalar(hour + self.published_after, TS)
        # A fill that strayed into an earlier file is not known before it is true.
        return pc.if_else(pc.less(time_ts, published), published, time_ts)


class HourlyFiles(NamedTuple):
    """What an archive holds, each list in order.

    Attributes
    ----------
    paths
        Hour -> its file, or the folder of its files.
    odd
        Files whose names nobody documented.
    doubled
        Further files of hours that have one: the same lines packed, or, where a node was
        restarted with other flags within the hour, a part of its fills.
    """

    paths: dict[datetime, str]
    odd: list[str]
    doubled: list[str]


def open_archive(kind: HourlyFills, root: str) -> Archive:
    """Return the archive at ``root``, which holds the bucket's paths or the bucket's folder.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or none of the archive's folders in it.
    UnreachableError
        If the bucket cannot be asked.
    """
    outer = Archive(root)
    for prefix in kind.prefixes:
        if outer.has(prefix) or outer.has(f"{kind.bucket}/{prefix}"):
            return Archive.holding(root, kind.bucket, prefix)
    above = [f"{kind.bucket}/{prefix}" for prefix in kind.prefixes]
    places = " nor ".join(f"{place}/" for place in (*kind.prefixes, *above))
    raise FileNotFoundError(f"root {outer.root}: holds neither {places}")


def hourly_files(kind: HourlyFills, archive: Archive) -> HourlyFiles:
    """Return the files of ``archive`` by the hour they are named after."""
    if kind.listing is not None:
        return kind.listing(archive)
    found: dict[datetime, list[tuple[int, int, str]]] = {}
    odd = []
    for number, prefix in enumerate(kind.prefixes):
        for path in archive.files(prefix):
            hour, ending = named_after(path.removeprefix(f"{prefix}/"))
            if hour is None or ending not in kind.endings:
                odd.append(path)
            else:
                rank = (kind.endings.index(ending), number, path)
                found.setdefault(hour, []).append(rank)
    ranked = {hour: sorted(found[hour]) for hour in sorted(found)}
    return HourlyFiles(
        {hour: files[0][-1] for hour, files in ranked.items()},
        odd,
        [path for files in ranked.values() for *_, path in files[1:]],
    )


def named_after(name: str) -> tuple[datetime | None, str]:
    """Return the hour a file is named after, null if it is none, and the name's ending.

    >>> hour, ending = named_after("20251010/7.lz4")
    >>> hour.isoformat(), ending
    ('2025-10-10T07:00:00+00:00', '.lz4')
    >>> named_after("20251010/07.lz4")
    (None, '')
    """
    if (match := _NAME.fullmatch(name)) is None:
        return None, ""
    day, hour, ending = match.groups(default="")
    try:
        return datetime.strptime(day, "%Y%m%d").replace(hour=int(hour), tzinfo=UTC), ending
    except ValueError:
        return None, ""


def read_packed(archive: Archive, path: str) -> bytes:
    """Return the lines of one file of LZ4 frames."""
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
