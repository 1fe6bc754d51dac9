"""This module reads the archive of order books, one file a coin and hour.

Hyperliquid docs, "Historical data" (read 2026-08-22).  ``market_data/YYYYMMDD/H/l2Book/
COIN.lz4`` from 2023-04-15 on, ``H`` without a leading 0, is LZ4 of one JSON object a line:
``{"time", "ver_num", "raw": {"channel": "l2Book", "data": {"coin", "time", "levels"}}}``.
The outer time is the recorder's; the book's own is that of ``data``, in milliseconds.

A book comes about twice a second, 22 GB of them for BTC alone, so they are thinned: of each
interval the first book is kept.
"""

import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import orjson
import pyarrow as pa

from pipelines.sources.archive import Archive
from pipelines.sources.errors import SourceError
from pipelines.sources.hourly_files import read_packed
from pipelines.sources.info.books import to_book, unknown_fields
from pipelines.sources.info.fields import Fields
from pipelines.sources.monthly_archive import (
    BUCKET,
    COIN,
    FIRST_YEAR,
    day_named,
    known_from,
    misnamed,
)
from warehouse.contracts.books import LEVEL
from warehouse.contracts.table import TS

PREFIX = "market_data"
CHANNEL = "l2Book"
FILE = re.compile(
    rf"{PREFIX}/([0-9]{{8}})/([0-9]|1[0-9]|2[0-3])/{CHANNEL}/(?P<coin>{COIN})\.lz4"
)
EVERY = timedelta(minutes=1)
LINE_FIELDS = frozenset({"time", "ver_num", "raw"})
RAW_FIELDS = frozenset({"channel", "data"})
_MICROSECOND = timedelta(microseconds=1)


class HourlyBooks(NamedTuple):
    """What an archive holds of a day: paths by hour and coin, and names nobody documented."""

    paths: dict[tuple[datetime, str], str]
    odd: list[str]


class _Named(NamedTuple):
    """What a file's name says."""

    hour: datetime
    coin: str


class _Line(NamedTuple):
    """One line that may be kept; of several the smallest is the first."""

    ms: int
    number: int
    value: Mapping[str, Any]


def l2_books(root: str) -> Archive:
    """Return the archive at ``root``, which holds the bucket's paths or the bucket's folder.

    Raises
    ------
    FileNotFoundError
        If neither holds the folder ``market_data``.
    """
    return Archive.holding(root, BUCKET, PREFIX)


def hourly_books(archive: Archive, day: date) -> HourlyBooks:
    """Return the files of a UTC day by the hour and the coin they are named after."""
    found, odd = {}, []
    for path in archive.files(f"{PREFIX}/{day:%Y%m%d}"):
        if (named := _named(path)) is None:
            odd.append(path)
        else:
            found[named.hour, named.coin] = path
    return HourlyBooks(dict(sorted(found.items())), odd)


def _named(path: str) -> _Named | None:
    """Return what a file is named after.

    >>> _named("market_data/20260401/7/l2Book/xyz:TSLA.lz4").coin
    'xyz:TSLA'
    >>> _named("market_data/20260401/07/l2Book/BTC.lz4") is None
    True
    """
    if (match := FILE.fullmatch(path)) is None or (day := day_named(match[1])) is None:
        return None
    return _Named(
        datetime(day.year, day.month, day.day, int(match[2]), tzinfo=UTC), match["coin"]
    )


def read(archive: Archive, path: str) -> bytes:
    """Return the lines of one file, for :func:`to_books`."""
    return read_packed(archive, path)


def to_books(body: bytes, path: str, every: timedelta = EVERY) -> tuple[pa.Table, Counter[str]]:
    r"""Translate the lines of one file to rows of ``order_books``.  Pure.

    Parameters
    ----------
    body
        Lines, each a book.
    path
        Of the file in the archive: it names the coin, and the day says when its rows could be
        known.
    every
        Length of the intervals of which the first book is kept, counted from 1970; 0 keeps
        every book.  Of a line that is not kept nothing but JSON and its time is looked at.

    Returns
    -------
    Table
        Columns of ``order_books`` but ``source``, earliest first.  Books of other hours are
        among them: two files that meet may each have one of the interval where they do.
    Counter
        Field that is not known -> in how many of the rows it came.

    Raises
    ------
    SourceError
        If a line is not as documented, or of another coin; names file, line and field.

    Examples
    --------
    >>> book = (
    ...     '{{"time":"2026-04-01T00:00:12.6","ver_num":1,"raw":{{"channel":"l2Book","data":'
    ...     '{{"coin":"SOL","time":{ms},"levels":[[{{"px":"83.1","sz":"18.4","n":1}}],[]]}}}}}}'
    ... )
    >>> lines = [book.format(ms=1775001612017 + 20_000 * n) for n in range(4)]
    >>> rows, _ = to_books("\n".join(lines).encode(), "market_data/20260401/0/l2Book/SOL.lz4")
    >>> [f"{at:%H:%M:%S}" for at in rows["book_ts"].to_pylist()]
    ['00:00:12', '00:01:12']
    >>> rows["bids"][0].as_py(), str(rows["known_ts"][0].as_py())
    ([{'px': 83.1, 'size': 18.4, 'orders': 1}], '2026-06-01 00:00:00+00:00')
    """
    if every < timedelta(0):
        raise ValueError(f"every: must be 0 or more, is {every}")
    if (named := _named(path)) is None:
        raise misnamed(path, f"{PREFIX}/YYYYMMDD/H/{CHANNEL}/COIN.lz4")
    unknown: Counter[str] = Counter()
    rows = []
    for line in _thinned(body, path, every // _MICROSECOND):
        where = f"{path} line {line.number}"
        data = line.value["raw"]["data"]
        row = to_book(data, named.coin, where)
        if row["book_ts"].year < FIRST_YEAR:
            raise SourceError(f"{where}: field time must be of {FIRST_YEAR} or later")
        unknown.update(f"line.{name}" for name in line.value.keys() - LINE_FIELDS)
        unknown.update(f"raw.{name}" for name in line.value["raw"].keys() - RAW_FIELDS)
        unknown.update(unknown_fields(data))
        rows.append(row)
    return _table(rows, named), unknown


def _thinned(body: bytes, path: str, every: int) -> list[_Line]:
    """Return the first line of each interval of ``every`` microseconds, earliest first.

    All lines are parsed, which of an hour of BTC (7,000 lines, 12 MB) takes 0.08 s; to find
    the times alone by a pattern takes 0.006 s, and sees no line that is cut short.
    """
    first: dict[int, _Line] = {}
    for number, text in enumerate(body.splitlines(), start=1):
        line = _opened(text, path, number)
        interval = line.ms * 1000 // every if every else number
        held = first.get(interval)
        if held is None or line.ms < held.ms:
            first[interval] = line
    return sorted(first.values(), key=lambda line: (line.ms, line.number))


def _opened(text: bytes, path: str, number: int) -> _Line:
    """Return a line with the time of its book."""
    where = f"{path} line {number}"
    try:
        line = Fields(orjson.loads(text), where)
        raw = line.object("raw")
        if (channel := raw.text("channel")) != CHANNEL:
            raise raw.wrong("channel", CHANNEL, channel)
        return _Line(raw.object("data").integer("time"), number, line.value)
    except orjson.JSONDecodeError as error:
        raise SourceError(f"{where}: must be JSON: {error}") from error


def _table(rows: list[dict[str, Any]], named: _Named) -> pa.Table:
    known = known_from(named.hour.date())
    moments = [row["book_ts"] for row in rows]
    return pa.table(
        {
            "coin": pa.array([named.coin] * len(rows), pa.string()),
            "book_ts": pa.array(moments, TS),
            "bids": pa.array([row["bids"] for row in rows], pa.list_(LEVEL)),
            "asks": pa.array([row["asks"] for row in rows], pa.list_(LEVEL)),
            # Never before it was true.
            "known_ts": pa.array([max(known, moment) for moment in moments], TS),
        }
    )
