"""This module lands market files: candles, funding, contexts and instruments."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from pipelines.landed import Landed
from pipelines.sources import market_files as files
from pipelines.sources.archive import label_of
from pipelines.sources.market_files import Read
from warehouse.checks import guarded
from warehouse.contracts.table import Table
from warehouse.contracts.tables import ASSET_CONTEXTS, CANDLES, FUNDING, INSTRUMENTS
from warehouse.store.asks import ALL_DAY, Ask

Progress = Callable[[str, int, int], None]

BARS_DERIVED = (
    "candles: the file does not give the length of a bar; 1h is derived, from starts on full "
    "hours one hour apart"
)


def land_market(
    root: str,
    lake: Path | str,
    since: date | None = None,
    until: date | None = None,
    source: str = "market_files",
    coins: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> list[Landed]:
    """Land the market files' rows of ``[since, until)``; safe to repeat.

    Parameters
    ----------
    root
        Folder or ``s3://`` URL: of the files, or the one above their folder ``market``.
    lake
        Folder of the lake.
    since, until
        UTC days; everything there is without them.  Instruments hold until the next one, so
        all of them from before ``until`` are landed.
    source
        What the rows say of where they came from, and the name of their part.  Two files tell
        of contexts: their rows and parts are of ``SOURCE-open_interest`` and
        ``SOURCE-universe``.
    coins
        Coins to land; all without it.  Landing other coins later under the same ``source``
        replaces these.
    progress
        Called with what is done, how many are done, and of how many.

    Returns
    -------
    list of Landed
        Of ``candles``, ``funding``, ``asset_contexts`` and ``instruments``, absent files named
        in ``notes``, and files without a row of what was asked for.

    Raises
    ------
    SourceError
        If a file is not as documented.
    ContractError
        If a row breaks a table's contract.  After either nothing has been landed.
    """
    archive = files.market_files(root)
    source = label_of(root, source)
    there = [name for name in files.FILES if archive.has(name)]
    read = _read_all(archive, there, progress)
    landed = {table.name: Landed(table.name) for table, _, _, _ in _ROAD}
    with guarded(lake) as batches:
        for table, file, suffix, time in _ROAD:
            one = landed[table.name]
            if file not in there:
                one.notes.append(f"{table.name}: there is no {file}")
                continue
            given = read[table.name, file]
            first = None if table is INSTRUMENTS else since
            rows = given.rows.filter(_wanted(time, first, until, coins))
            part = source + suffix
            batch = rows.with_columns(source=pl.lit(part)).to_arrow()
            batches.land(table, batch, part, archive.origins(file))
            one.add(
                Landed(
                    table.name,
                    rows=rows.height,
                    duplicates=given.duplicates,
                    unknown_fields=given.unknown_fields,
                    gaps=_gaps(table, rows, time),
                    notes=_notes(table, file, rows),
                    asked=_asked(table, part, file, rows, since, until),
                )
            )
    for name, places in batches.places.items():
        landed[name].files = places
    if progress:
        progress("market", len(there), len(there))
    return list(landed.values())


# Table, the file it is read from, what the file adds to the part's name, and the time by which
# rows are asked for.
_ROAD: tuple[tuple[Table, str, str, str], ...] = (
    (CANDLES, files.CANDLES_FILE, "", CANDLES.time),
    (FUNDING, files.FUNDING_FILE, "", FUNDING.time),
    (ASSET_CONTEXTS, files.OPEN_INTEREST_FILE, "-open_interest", ASSET_CONTEXTS.time),
    (ASSET_CONTEXTS, files.UNIVERSE_FILE, "-universe", ASSET_CONTEXTS.time),
    (INSTRUMENTS, files.UNIVERSE_FILE, "-universe", INSTRUMENTS.time),
)


def _read_all(
    archive: files.Archive, there: list[str], progress: Progress | None
) -> dict[tuple[str, str], Read]:
    """Read every file before one is landed, so that a bad one leaves nothing behind."""
    read: dict[tuple[str, str], Read] = {}
    for number, name in enumerate(there):
        if progress:
            progress(name, number, len(there))
        if name == files.CANDLES_FILE:
            read[CANDLES.name, name] = files.read_candles(archive)
        elif name == files.FUNDING_FILE:
            read[FUNDING.name, name] = files.read_funding(archive)
        elif name == files.OPEN_INTEREST_FILE:
            read[ASSET_CONTEXTS.name, name] = files.read_open_interest(archive)
        else:
            contexts, instruments = files.read_universe(archive)
            read[ASSET_CONTEXTS.name, name] = contexts
            read[INSTRUMENTS.name, name] = instruments
    return read


def _wanted(
    time: str, since: date | None, until: date | None, coins: Sequence[str] | None
) -> pl.Expr:
    """Return whether a row is of ``[since, until)`` and of one of ``coins``."""
    day = pl.col(time).dt.date()
    wanted = pl.lit(True)
    if since is not None:
        wanted &= day >= since
    if until is not None:
        wanted &= day < until
    if coins is not None:
        wanted &= pl.col("coin").is_in(list(coins))
    return wanted


def _notes(table: Table, file: str, rows: pl.DataFrame) -> list[str]:
    """Return what a reader of a table's rows should know."""
    if rows.is_empty():
        return [f"{table.name}: {file} holds no row of what was asked for"]
    return [BARS_DERIVED] if table is CANDLES else []


def _asked(
    table: Table,
    source: str,
    file: str,
    rows: pl.DataFrame,
    since: date | None,
    until: date | None,
) -> list[Ask]:
    """Return what came of asking a file for each day of the range.

    Of an open end nothing is said beyond the rows.  Instruments hold until they change, so a
    day without one lacks nothing.
    """
    if table is INSTRUMENTS:
        return []
    lacks = f"{file} holds no row of this day that was asked for"
    there = set(rows[table.time].dt.date().to_list())
    if not there and not (since and until):
        return []
    first, end = since or min(there), until or max(there) + timedelta(days=1)
    days = [first + timedelta(days=number) for number in range((end - first).days)]
    return [
        Ask(table.name, source, day, ALL_DAY, "landed")
        if day in there
        else Ask(table.name, source, day, ALL_DAY, "absent", lacks)
        for day in days
    ]


def _gaps(table: Table, rows: pl.DataFrame, time: str) -> list[str]:
    """Return one sentence for each series with missing hours.

    Candles and hourly funding should come every hour between a series' first and last row;
    nothing is said of when it began or ended.
    """
    if table is FUNDING:
        rows = rows.filter(pl.col("period_hours") == 1)
    elif table is not CANDLES:
        return []
    hour = pl.col(time).dt.truncate("1h")
    missing = (
        rows.group_by("venue", "coin")
        .agg(
            hours=(hour.max() - hour.min()).dt.total_hours() + 1,
            there=hour.n_unique().cast(pl.Int64),
        )
        .filter(pl.col("there") < pl.col("hours"))
        .sort("venue", "coin")
    )
    return [
        f"{table.name}: {coin} on {venue} lacks {hours - there} of {hours} hours"
        for venue, coin, hours, there in missing.iter_rows()
    ]
