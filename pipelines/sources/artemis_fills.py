"""This module reads the hourly fills of Artemis, whose hours are folders of Parquet files.

Artemis' public bucket, ``raw/node_fills/hourly/YYYY/MM/DD/HH/*.parquet`` from 2025-08-17, about
25 MB an hour; requester-pays.  No reference page describes it: layout and habits are as public
readers of it report them (read 2026-08-22), columns are the venue's own of a fill
(https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint).

When an hour is published is not documented and not measured; an hour counts as known a day
after it has ended.  That is late rather than early: too early a guess would let a backtest see
what nobody could.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import orjson
import pyarrow as pa

from pipelines.sources.archive import Archive
from pipelines.sources.artemis_fill_rows import Hour, translated
from pipelines.sources.errors import SourceError
from pipelines.sources.hourly_files import HOUR, HourlyFiles, HourlyFills
from pipelines.sources.parquet_files import whole
from pipelines.sources.unknown import Unknown

BUCKET = "artemis-hyperliquid-data"
PREFIX = "raw/node_fills/hourly"
FOLDER = re.compile(rf"{PREFIX}/(\d{{4}}/\d\d/\d\d/\d\d)")
PUBLISHED_AFTER = HOUR + timedelta(days=1)
SINCE = datetime(2025, 8, 17, tzinfo=UTC)


def artemis(root: str) -> Archive:
    """Return the archive at ``root``, which holds the bucket's paths or the bucket's folder."""
    return Archive.holding(root, BUCKET, PREFIX)


def hourly_folders(archive: Archive) -> HourlyFiles:
    """Return the folders of ``archive`` by the hour they are named after, and other files."""
    paths, odd = {}, []
    for path in archive.files(PREFIX):
        folder = path.rpartition("/")[0]
        if path.endswith(".parquet") and (hour := hour_of(folder)) is not None:
            paths[hour] = folder
        else:
            odd.append(path)
    return HourlyFiles(dict(sorted(paths.items())), odd, [])


def hour_of(folder: str) -> datetime | None:
    """Return the hour a folder is named after; None if it is named after none.

    >>> hour_of("raw/node_fills/hourly/2025/08/17/05").isoformat()
    '2025-08-17T05:00:00+00:00'
    """
    if (match := FOLDER.fullmatch(folder)) is None:
        return None
    try:
        return datetime.strptime(match[1], "%Y/%m/%d/%H").replace(tzinfo=UTC)
    except ValueError:
        return None


def read(archive: Archive, folder: str) -> bytes:
    """Return the files of an hour's folder as one body, for :func:`to_rows`.

    Raises
    ------
    FileNotFoundError
        If the folder holds no Parquet file.
    """
    paths = archive.files(folder, ".parquet")
    if not paths:
        raise FileNotFoundError(f"{archive.root}: no *.parquet in {folder}/")
    return joined({path.removeprefix(f"{folder}/"): archive.read(path) for path in paths})


def joined(files: Mapping[str, bytes]) -> bytes:
    """Return files as one body: a line of JSON with their names and sizes, then they.

    >>> joined({"a": b"12", "b": b"3"}).splitlines()
    [b'[["a",2],["b",1]]', b'123']
    """
    sizes = [[name, len(body)] for name, body in files.items()]
    return b"".join([orjson.dumps(sizes), b"\n", *files.values()])


def to_fills(body: bytes, folder: str) -> Hour:
    """Translate an hour to the ``fills`` contract.  Pure.

    Parameters
    ----------
    body
        What :func:`read` returned.
    folder
        The hour's folder: times are held to be near it, and errors name it.

    Raises
    ------
    SourceError
        If a file is no Parquet, or a column is missing or not as documented; names file, row
        and field.
    """
    if (hour := hour_of(folder)) is None:
        raise SourceError(f"{folder}: must be {PREFIX}/YYYY/MM/DD/HH")
    line, _, rest = body.partition(b"\n")
    tables, start = {}, 0
    try:
        sizes = [(str(name), int(size)) for name, size in orjson.loads(line)]
    except (ValueError, TypeError) as error:
        raise SourceError(f"{folder}: must begin with names and sizes: {error}") from error
    for name, size in sizes:
        tables[f"{folder}/{name}"] = whole(rest[start : start + size], f"{folder}/{name}")
        start += size
    if not tables:
        raise SourceError(f"{folder}: must hold a file")
    return translated(tables, hour)


def to_rows(body: bytes, folder: str) -> tuple[pa.Table, Unknown]:
    """Return what :func:`to_fills` does, as other hourly archives do.

    Times that were stored as 1970 and put right are counted beside the unknown fields, under
    ``time stored as 1970``.
    """
    hour = to_fills(body, folder)
    if hour.corrected:
        hour.unknown["time stored as 1970"] = hour.corrected
    return hour.fills, hour.unknown


ARTEMIS = HourlyFills(
    name="artemis",
    bucket=BUCKET,
    prefixes=(PREFIX,),
    endings=("/*.parquet",),
    published_after=PUBLISHED_AFTER,
    covers=(SINCE, None),
    read=read,
    to_rows=to_rows,
    listing=hourly_folders,
    named="YYYY/MM/DD/HH",
)
