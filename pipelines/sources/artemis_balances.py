"""This module reads Artemis' daily balances: the positions of every account it knows.

Artemis' public bucket, ``raw/perp_and_spot_balances/YYYY/MM/DD/*.jsonl`` from 2025-08-17;
requester-pays.  No reference page describes it.  A line is an account, in one of two shapes
that public readers of it report (read 2026-08-22): ``{"user", "assetPositions": [{"position":
{…}}]}``, or ``{"address", "timestamp", "response": {"perpetual": {…}}}`` around the same; the
inner fields are the venue's own (:mod:`pipelines.sources.info.states`).  A line with
``_metadata`` true is a header.  Readers also report accounts whose value is near 0 on single
days when the venue's was not (January 2026): a snapshot is not complete by its source's word.

A position is true at its state's ``time``, else at its line's ``timestamp`` (one without a zone
is UTC), else, where the source says no time, at the last microsecond of the folder's UTC day.
Readers saw times of about 02:00 UTC of the day after: lines are held to be near their day.

When a day is published is not documented and not measured; a position counts as known a day
after it was true, late rather than early.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import BinaryIO

from pipelines.sources.archive import Archive
from pipelines.sources.artemis_balance_lines import Balances, to_balances
from pipelines.sources.errors import SourceError

BUCKET = "artemis-hyperliquid-data"
PREFIX = "raw/perp_and_spot_balances"
FILE = re.compile(rf"{PREFIX}/(\d{{4}}/\d\d/\d\d)/.+\.jsonl")
CHUNK = 2**20  # bytes
LONGEST = 2**24  # bytes; an account with a position in each of 500 coins has 2**18


def artemis_balances(root: str) -> Archive:
    """Return the archive at ``root``, which holds the bucket's paths or the bucket's folder."""
    return Archive.holding(root, BUCKET, PREFIX)


def balance_files(
    archive: Archive, since: date | None = None, until: date | None = None
) -> dict[date, list[str]]:
    """Return the files of the UTC days in ``[since, until)``, oldest first; None is open."""
    files: dict[date, list[str]] = {}
    for path in archive.files(PREFIX, ".jsonl"):
        day = day_of(path)
        if day is None or (since and day < since) or (until and day >= until):
            continue
        files.setdefault(day, []).append(path)
    return dict(sorted(files.items()))


def day_of(path: str) -> date | None:
    """Return the day a file's folders name; None if they name none.

    >>> day_of("raw/perp_and_spot_balances/2026/01/26/part-0.jsonl")
    datetime.date(2026, 1, 26)
    """
    if (match := FILE.fullmatch(path)) is None:
        return None
    try:
        return date.fromisoformat(match[1].replace("/", "-"))
    except ValueError:
        return None


def end_of(day: date) -> datetime:
    """Return the last instant of a UTC day.

    >>> end_of(date(2026, 1, 26)).isoformat()
    '2026-01-26T23:59:59.999999+00:00'
    """
    midnight = datetime.combine(day, time(), UTC)
    return midnight + timedelta(days=1) - timedelta.resolution


def read(archive: Archive, path: str) -> Balances:
    """Read one file and translate it, a line at a time.

    Raises
    ------
    SourceError
        If the file's folders name no day, or a line is not as documented; names file, line and
        field.
    """
    if (day := day_of(path)) is None:
        raise SourceError(f"{path}: must be {PREFIX}/YYYY/MM/DD/NAME.jsonl")
    with archive.open(path) as file:
        return to_balances(lines(file, path), path, end_of(day))


def lines(file: BinaryIO, path: str) -> Iterator[bytes]:
    """Yield the lines of a file; refuse one that never ends before it fills the memory.

    >>> import io
    >>> body = bytes([97, 10, 98])
    >>> list(lines(io.BytesIO(body), "f"))
    [b'a', b'b']
    """
    number, rest = 1, b""
    while chunk := file.read(CHUNK):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
        number += len(whole)
        if len(rest) > LONGEST:
            raise SourceError(f"{path} line {number}: must be shorter than {LONGEST} bytes")
    if rest:
        yield rest
