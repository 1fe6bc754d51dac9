"""This module reads what every coin showed each minute, one CSV file a day.

Hyperliquid docs, "Historical data" (read 2026-08-22).  ``asset_ctxs/YYYYMMDD.csv.lz4`` from
2023-05-20 on is LZ4 of one line a coin and minute, with one header for all years (measured on
1,168 files)::

    time,coin,funding,open_interest,prev_day_px,day_ntl_vlm,premium,oracle_px,mark_px,mid_px,
    impact_bid_px,impact_ask_px

Prices are USD, ``funding`` is the hourly rate, ``open_interest`` coins of one side,
``day_ntl_vlm`` USD.  Premium, middle and impact prices are empty where the book is too thin.
A reading is a snapshot of its own instant; most are of full minutes, 1,242 of BTC's are not.
"""

import io
import re
import string
from collections import Counter
from datetime import date
from typing import NamedTuple

import polars as pl

from pipelines.sources.archive import Archive
from pipelines.sources.errors import SourceError
from pipelines.sources.hourly_files import read_packed
from pipelines.sources.monthly_archive import (
    BUCKET,
    COIN,
    FIRST_YEAR,
    day_named,
    known_from,
    misnamed,
)
from pipelines.sources.typed_columns import NUMBER, TEXT, TIME, Field, RowsOf, typed
from pipelines.sources.unknown import Unknown, odd_columns

PREFIX = "asset_ctxs"
FILE = re.compile(rf"{PREFIX}/(.*)\.csv\.lz4")
VENUE = "hyperliquid"

_PX = ("oracle_px", "mark_px", "mid_px", "impact_bid_px", "impact_ask_px")
_MAY_LACK = frozenset({"premium", "mid_px", "impact_bid_px", "impact_ask_px"})
_NUMBERS = ("funding", "open_interest", "prev_day_px", "day_ntl_vlm", "premium", *_PX)
_FIELDS = (
    Field("time", TEXT),
    Field("coin", TEXT),
    *(Field(name, NUMBER, null=name in _MAY_LACK) for name in _NUMBERS),
)
# Seconds of 60 and more are left to no parser's taste.
_TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9](\.[0-9]{1,9})?Z$"
_FORMAT = "%Y-%m-%dT%H:%M:%S%.fZ"
_PRINTED = (string.ascii_letters + string.digits + string.punctuation + " \n").encode()


class DailyFiles(NamedTuple):
    """What an archive holds: the path of each day, in order, and names nobody documented."""

    paths: dict[date, str]
    odd: list[str]


def asset_ctxs(root: str) -> Archive:
    """Return the archive at ``root``, which holds the bucket's paths or the bucket's folder.

    Raises
    ------
    FileNotFoundError
        If neither holds the folder ``asset_ctxs``.
    """
    return Archive.holding(root, BUCKET, PREFIX)


def daily_files(archive: Archive) -> DailyFiles:
    """Return the files of ``archive`` by the day they are named after."""
    paths, odd = {}, []
    for path in archive.files(PREFIX):
        if (day := _day(path)) is None:
            odd.append(path)
        else:
            paths[day] = path
    return DailyFiles(dict(sorted(paths.items())), odd)


def _day(path: str) -> date | None:
    """Return the day a file is named after.

    >>> _day("asset_ctxs/20251113.csv.lz4"), _day("asset_ctxs/20251113.csv")
    (datetime.date(2025, 11, 13), None)
    """
    named = FILE.fullmatch(path)
    return day_named(named[1]) if named else None


def read(archive: Archive, path: str) -> bytes:
    """Return the lines of one file, for :func:`to_contexts`."""
    return read_packed(archive, path)


def to_contexts(body: bytes, path: str) -> tuple[pl.DataFrame, Unknown]:
    r"""Translate the lines of one file to rows of ``asset_contexts``.  Pure.

    Parameters
    ----------
    body
        The CSV.
    path
        Of the file in the archive: its day says when its rows could be known.

    Returns
    -------
    DataFrame
        Columns of ``asset_contexts`` but ``source``, in the order of the file; rows of other
        days and repeated ones are among them.  A ``prev_day_px`` of 0 is null: a day ago the
        coin had no price.
    Unknown
        Fields that are not known: in how many rows each came, and what it held.

    Raises
    ------
    SourceError
        If a field is missing, empty where it may not be, mistyped or out of its range; names
        file, line and field.

    Examples
    --------
    >>> head = (
    ...     "time,coin,funding,open_interest,prev_day_px,day_ntl_vlm,premium,oracle_px,"
    ...     "mark_px,mid_px,impact_bid_px,impact_ask_px"
    ... )
    >>> row = "2025-11-13T00:01:00Z,SOL,-0.0003,1000,150.2,1333.5,,125.85,125.5,125.45,,"
    >>> body = f"{head}\n{row}\n".encode()
    >>> rows, unknown = to_contexts(body, "asset_ctxs/20251113.csv.lz4")
    >>> rows.select("coin", "open_interest_notional", "mid_px", "premium").row(0)
    ('SOL', 125500.0, 125.45, None)
    >>> str(rows["context_ts"][0]), str(rows["known_ts"][0])
    ('2025-11-13 00:01:00+00:00', '2026-01-01 00:00:00+00:00')
    """
    if (day := _day(path)) is None:
        raise misnamed(path, f"{PREFIX}/YYYYMMDD.csv.lz4")
    cells = _cells(body, path)
    given, odd = typed(cells, _FIELDS, path, as_text=True)
    unknown = Unknown()
    unknown.keep_columns(odd_columns(cells[list(odd)].to_arrow(), ()), range(cells.height))
    given = _with_instants(given)
    given.refuse(~pl.col("coin").str.contains(f"^{COIN}$"), "coin", "must be a coin's name")
    for name in _PX:
        given.refuse(pl.col(name) <= 0, name, "must be above 0")
    for name in ("open_interest", "prev_day_px", "day_ntl_vlm"):
        given.refuse(pl.col(name) < 0, name, "must be 0 or more")
    notional = pl.col("open_interest") * pl.col("mark_px")
    given.refuse(~notional.is_finite(), "open_interest", "must have a finite value at mark")
    known = pl.lit(known_from(day), TIME)
    rows = given.rows.select(
        venue=pl.lit(VENUE),
        coin="coin",
        context_ts="instant",
        mark_px="mark_px",
        oracle_px="oracle_px",
        open_interest="open_interest",
        open_interest_notional=notional,
        funding_rate="funding",
        premium="premium",
        mid_px="mid_px",
        impact_bid_px="impact_bid_px",
        impact_ask_px="impact_ask_px",
        prev_day_px=pl.when(pl.col("prev_day_px") > 0).then("prev_day_px"),
        day_notional_volume="day_ntl_vlm",
        known_ts=pl.max_horizontal(known, "instant"),  # never before it was true
    )
    return rows, unknown


def _with_instants(given: RowsOf) -> RowsOf:
    """Return the rows with ``time`` read as ``instant``."""
    must = "must be a time as 2025-11-13T00:01:00Z"
    given.refuse(~pl.col("time").str.contains(_TIME), "time", must)
    instant = pl.col("time").str.to_datetime(
        _FORMAT, time_unit="us", time_zone="UTC", strict=False
    )
    given = given._replace(rows=given.rows.with_columns(instant=instant))
    given.refuse(pl.col("instant").is_null(), "time", must)
    early = pl.col("instant").dt.year() < FIRST_YEAR
    given.refuse(early, "time", f"must be of {FIRST_YEAR} or later")
    return given


def _cells(body: bytes, path: str) -> pl.DataFrame:
    """Return the cells of a file as text, one row a line."""
    text = body.replace(b"\r\n", b"\n")
    if odd := text.translate(None, _PRINTED):
        line = text.count(b"\n", 0, text.index(odd[:1])) + 1
        raise SourceError(f"{path} line {line}: must be printable ASCII, has byte {odd[0]}")
    head, _, rest = text.partition(b"\n")
    names = head.decode().split(",")
    if repeated := [name for name, count in Counter(names).items() if count > 1]:
        raise SourceError(f"{path} line 1: field {repeated[0]} comes more than once")
    # The parser would fill short lines up.
    lines = rest.count(b"\n") + (rest != b"" and not rest.endswith(b"\n"))
    if rest.count(b",") != lines * (len(names) - 1):
        raise SourceError(_ragged(rest, path, len(names)))
    try:
        # No quotes: one that is never closed would swallow the lines after it.
        return pl.read_csv(io.BytesIO(text), infer_schema=False, quote_char=None)
    except pl.exceptions.PolarsError as error:
        reason = str(error).partition("\n")[0]
        ragged = _ragged(rest, path, len(names))
        raise SourceError(ragged or f"{path}: cannot be read as CSV: {reason}") from error


def _ragged(rest: bytes, path: str, cells: int) -> str:
    """Return the complaint about the first line that has not as many cells as the header."""
    for number, line in enumerate(rest.removesuffix(b"\n").split(b"\n"), start=2):
        if (found := line.count(b",") + 1) != cells:
            return f"{path} line {number}: must have {cells} cells, has {found}"
    return ""
