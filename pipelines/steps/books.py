"""This module lands archived order books, an hour of all coins a part.

A part a coin and hour would make a day of 200 coins 4,800 files; a part an hour makes it 24,
in which a reader of one coin still skips the others' row groups.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.landed import Landed
from pipelines.sources import l2_books as source
from pipelines.sources.archive import Archive, label_of
from pipelines.sources.monthly_archive import day_named
from pipelines.steps.day_range import DayRange, Progress
from warehouse.checks import guarded
from warehouse.contracts.tables import ORDER_BOOKS
from warehouse.store import Lake, Landing, Origin
from warehouse.store.asks import Ask

SOURCE = "l2_books"
LAYOUT = f"{source.PREFIX}/YYYYMMDD/H/{source.CHANNEL}/COIN.lz4"
HOUR = timedelta(hours=1)
HOURS = 24


class Read(NamedTuple):
    """One file's books, and what of them is not landed."""

    rows: pa.Table
    unknown: Counter[str]
    duplicates: int
    strays: int


def land_books(
    root: str,
    lake: Lake | Path | str,
    since: date | None = None,
    until: date | None = None,
    coins: Collection[str] | None = None,
    every: timedelta = source.EVERY,
    progress: Progress | None = None,
) -> Landed:
    """Land the books of the UTC days in ``[since, until)``; safe to repeat.

    Parameters
    ----------
    root
        Folder or ``s3://`` URL above the archive's own paths.
    lake
        Folder or URL of the lake.
    since, until
        UTC days; everything there is without them.
    coins
        Coins to land; all without it.  What the lake holds of others in the same hours stays.
    every
        Length of the intervals of which the first book is kept; 0 keeps every book.
    progress
        Called with what is done, how many are done, and of how many.

    Returns
    -------
    Landed
        Each day is a landing of its own: one that has ended stays, whatever comes after.  An
        hour of the range without a file is a gap.  A book of another hour than its file's is
        left out: its minute is in the file of its hour.

    Raises
    ------
    FileNotFoundError
        If there is no file at all, or none in a range that has an end open.
    ValueError
        If one of ``coins`` is in no file of the range.
    SourceError
        If a file is not as documented: nothing of its day has been landed.
    """
    archive = source.l2_books(root)
    label = label_of(root, SOURCE)
    days = DayRange(book_days(archive), since, until)
    days.check(root, LAYOUT)
    if coins is not None:
        check_coins(archive, days.there, coins)
    landed = Landed(ORDER_BOOKS.name)
    for number, day in enumerate(days.there):
        if progress:
            progress(f"books of {day}", number, len(days.there))
        landed.add(_land_day(archive, day, coins, every, lake, label))
        archive.forget()
    if progress:
        progress("books", len(days.there), len(days.there))
    for day in days.missing:
        landed.gaps.append(f"{SOURCE}: no file of {day}")
        landed.asked += _asked(label, day, [])
    return landed


def book_days(archive: Archive) -> list[date]:
    """Return the UTC days that ``archive`` has a folder of books of."""
    named = (day_named(path.rpartition("/")[2]) for path in archive.folders(source.PREFIX))
    return [day for day in named if day is not None]


def wanted_files(
    archive: Archive, day: date, coins: Collection[str] | None
) -> tuple[dict[tuple[datetime, str], str], list[str]]:
    """Return a day's files of ``coins`` by hour and coin, and those nobody documented."""
    found = source.hourly_books(archive, day)
    kept = {key: path for key, path in found.paths.items() if coins is None or key[1] in coins}
    return kept, found.odd


def check_coins(archive: Archive, days: Collection[date], coins: Collection[str]) -> None:
    """Raise if one of ``coins`` is in no file of ``days``; names one that is like it."""
    seen: set[str] = set()
    for day in days:
        seen |= {coin for _, coin in source.hourly_books(archive, day).paths}
        if seen.issuperset(coins):
            return
    for coin in coins:
        if days and coin not in seen:
            close = get_close_matches(coin.upper(), sorted(seen), 1)
            near = f"; near it: {close[0]}" if close else ""
            raise ValueError(f"coin {coin!r} has no book in these days of the archive{near}")


def _land_day(
    archive: Archive,
    day: date,
    coins: Collection[str] | None,
    every: timedelta,
    lake: Lake | Path | str,
    label: str,
) -> Landed:
    """Land one day, an hour after the other."""
    paths, odd = wanted_files(archive, day, coins)
    hours = sorted({hour for hour, _ in paths})
    landed = Landed(ORDER_BOOKS.name, asked=_asked(label, day, hours))
    unknown: Counter[str] = Counter()
    strays = 0
    with guarded(lake) as batches:
        for hour in hours:
            tables, origins = [], []
            for path in (path for (at, _), path in paths.items() if at == hour):
                read = _read(archive, path, hour, every)
                tables.append(read.rows)
                origins += archive.origins(path)
                unknown += read.unknown
                landed.duplicates += read.duplicates
                strays += read.strays
            rows = pa.concat_tables(tables)
            rows = rows.append_column("source", pa.repeat(label, rows.num_rows))
            landed.rows += rows.num_rows
            _land_hour(batches, hour, rows, origins)
    landed.files = batches.places.get(ORDER_BOOKS.name, [])
    landed.unknown_fields = dict(sorted(unknown.items()))
    landed.gaps = list(_gaps(day, hours))
    if strays:
        landed.notes.append(f"{SOURCE} {day}: {strays} books of other hours were not landed")
    if odd:
        landed.notes.append(
            f"{SOURCE} {day}: {len(odd)} files not read, their names are not documented: "
            f"{odd[0]}"
        )
    return landed


def _read(archive: Archive, path: str, hour: datetime, every: timedelta) -> Read:
    """Return the books of a file that are of its hour, each moment once."""
    given, unknown = source.to_books(source.read(archive, path), path, every)
    times = given["book_ts"]
    own = given.filter(pc.and_(pc.greater_equal(times, hour), pc.less(times, hour + HOUR)))
    first = pl.Series(own["book_ts"].cast(pa.int64())).is_first_distinct()
    rows = own.filter(first.to_arrow())
    return Read(rows, unknown, own.num_rows - rows.num_rows, given.num_rows - own.num_rows)


def _land_hour(batches: Landing, hour: datetime, rows: pa.Table, origins: list[Origin]) -> None:
    """Draft an hour's part; what the lake holds in it of coins that were not read stays."""
    part = f"{SOURCE}-{hour:%H}"
    if before := batches.held(ORDER_BOOKS, hour.date(), part):
        held, line = before
        read = {one.url for one in origins}
        others = [one for one in line.origins if one.url not in read]
        coins = [one.url.rpartition("/")[2].removesuffix(".lz4") for one in others]
        names = ORDER_BOOKS.schema.names
        kept = held.filter(pc.is_in(held["coin"], pa.array(coins, pa.string())))
        tables = [table.select(names).cast(ORDER_BOOKS.schema) for table in (rows, kept)]
        rows, origins = pa.concat_tables(tables), [*origins, *others]
    if rows.num_rows:
        batches.land(ORDER_BOOKS, rows, part, sorted(origins))


def _gaps(day: date, hours: list[datetime]) -> Iterator[str]:
    there = {hour.hour for hour in hours}
    for number in range(HOURS):
        if number not in there:
            yield f"{SOURCE}: no file for {day} {number:02d}:00 UTC"


def _asked(label: str, day: date, hours: list[datetime]) -> list[Ask]:
    there = {hour.hour for hour in hours}
    reason = "the archive has no file of the hour"
    return [
        Ask(ORDER_BOOKS.name, label, day, hour, "landed")
        if hour in there
        else Ask(ORDER_BOOKS.name, label, day, hour, "absent", reason)
        for hour in range(HOURS)
    ]
