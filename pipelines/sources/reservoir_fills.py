"""This module reads the fills of Hydromancer's Reservoir, one Parquet file a day.

Docs: https://docs.hydromancer.xyz/reservoir/schema-reference/fills (read 2026-08-22).  Files
``by_dex/{dex}/fills/perp/all/date=YYYY-MM-DD/fills.parquet``, and, of every market of the
venue, spot among them, ``global/fills/raw/date=YYYY-MM-DD/fills.parquet``; 27 or 28 columns,
one row for each account's side of a trade.  A day of the first dex is some 400 MB and 7 million
rows: it is read in pieces, without the documented columns that ``fills`` does not have.  The
bucket is requester-pays: reading it costs its reader money.

Publication: as :mod:`pipelines.sources.reservoir` has it, a day's file counts as known an hour
after the midnight that follows.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.sources.archive import Archive
from pipelines.sources.parquet_files import parquet, pieces
from pipelines.sources.reservoir import BUCKET, ONE_DEX, PUBLISHED_AFTER_MIDNIGHT
from pipelines.sources.reservoir_fill_rows import UNUSED

EVERY_MARKET = "global/fills/raw"
FILE = re.compile(r"date=(\d{4}-\d{2}-\d{2})/fills\.parquet")
SINCE = date(2025, 7, 28)  # the source's first day
AT_ONCE = 131_072  # rows; about 50 MB of Arrow memory


def reservoir_fills(root: str) -> Archive:
    """Return the archive below ``root``: the bucket itself, or the folder that holds it.

    Raises
    ------
    FileNotFoundError
        If neither holds files of single dexes or of every market.
    """
    outer = Archive(root)
    for prefix in (ONE_DEX, EVERY_MARKET):
        if outer.has(prefix):
            return outer
    for prefix in (ONE_DEX, EVERY_MARKET):
        if outer.has(f"{BUCKET}/{prefix}"):
            return Archive(f"{outer.root.rstrip('/')}/{BUCKET}")
    raise FileNotFoundError(
        f"root {outer.root}: neither it nor its folder {BUCKET}/ holds {ONE_DEX}/ or "
        f"{EVERY_MARKET}/"
    )


def dexes(archive: Archive) -> list[str]:
    """Return the names of the dexes that ``archive`` has fills of."""
    names = (folder.rpartition("/")[2] for folder in archive.folders(ONE_DEX))
    return [name for name in names if archive.has(_folder(name))]


def fill_files(
    archive: Archive,
    since: date | None = None,
    until: date | None = None,
    dex: str | None = "hyperliquid",
) -> dict[date, str]:
    """Return the files of the UTC days in ``[since, until)``, oldest first.

    Parameters
    ----------
    archive
        What :func:`reservoir_fills` returned.
    since, until
        UTC days; None leaves that end open.
    dex
        Name of one dex, or None for the files of every market.
    """
    files = {}
    prefix = _folder(dex)
    for path in archive.files(prefix, ".parquet"):
        if (name := FILE.fullmatch(path.removeprefix(f"{prefix}/"))) is None:
            continue
        try:
            day = date.fromisoformat(name[1])
        except ValueError:
            continue
        if (since is None or day >= since) and (until is None or day < until):
            files[day] = path
    return dict(sorted(files.items()))


def known_ts(day: date) -> datetime:
    """Return when a follower of the archive could have had a day's file.

    >>> known_ts(date(2025, 10, 10)).isoformat()
    '2025-10-11T01:00:00+00:00'
    """
    midnight = datetime.combine(day, time(), UTC) + timedelta(days=1)
    return midnight + PUBLISHED_AFTER_MIDNIGHT


def read(archive: Archive, path: str, at_once: int = AT_ONCE) -> Iterator[tuple[int, pa.Table]]:
    """Yield the rows of a file in pieces, with the number of each one's first row.

    Raises
    ------
    SourceError
        If the file is no Parquet.
    """
    with archive.open(path) as file:
        with parquet(path):
            names = pq.ParquetFile(file).schema_arrow.names
        # What nobody documented is fetched too: it is kept, not lost.
        wanted = [name for name in names if name not in UNUSED]
        yield from pieces(file, path, wanted, at_once)


def _folder(dex: str | None) -> str:
    return EVERY_MARKET if dex is None else f"{ONE_DEX}/{dex}/fills/perp/all"
