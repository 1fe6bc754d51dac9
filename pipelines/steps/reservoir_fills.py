"""This module lands Reservoir's fills, an hour of fill time a part.

A day's file is read in pieces and its rows wait on disk by hour, then each hour is put in order
and landed: an hour is held at a time, however long the day.  A day counts once all of it is
read.
"""

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.landed import Landed
from pipelines.sources.archive import Archive, label_of
from pipelines.sources.reservoir_fill_rows import to_fills
from pipelines.sources.reservoir_fills import (
    SINCE,
    fill_files,
    known_ts,
    read,
    reservoir_fills,
)
from pipelines.steps.fill_hours import sides
from pipelines.steps.first_known import first_known
from pipelines.steps.reservoir_scopes import EVERY_MARKET, refuse_both
from pipelines.steps.spilled_hours import SpilledHours
from pipelines.steps.unknown_rows import fields_in, news, unknown_rows
from warehouse.checks import guarded
from warehouse.contracts.table import TS
from warehouse.contracts.tables import FILLS, UNKNOWN_FIELDS
from warehouse.store import Lake, Landing
from warehouse.store.asks import ALL_DAY, Ask

Progress = Callable[[str, int, int], None]
SOURCE = "reservoir_fills"


def land_reservoir_fills(
    root: str,
    lake: Lake | Path | str,
    since: date | None = None,
    until: date | None = None,
    dex: str | None = "hyperliquid",
    progress: Progress | None = None,
) -> Landed:
    """Land the fills in the files of the UTC days in ``[since, until)``; safe to repeat.

    Parameters
    ----------
    root
        Folder or ``s3://`` URL above the archive's own paths.
    lake
        Folder or URL of the lake.
    since, until
        UTC days; everything there is without them.
    dex
        Name of one dex; null: the files of every market, of which spot is left out.
    progress
        Called with what is done, how many days are done, and of how many.

    Returns
    -------
    Landed
        A day of the range without a file is a gap.  A day counts once all of it is read; what
        its records hold in fields that nobody documented lands beside it.

    Raises
    ------
    FileNotFoundError
        If there is no file at all, or none in a range that has an end open.
    SourceError
        If a file is not as documented; the days before it are landed.
    ValueError
        If the lake holds a day's fills of every market and these are of one, or the reverse.
    """
    if since and until and since >= until:
        raise ValueError(f"since {since} must be before until {until}, which is exclusive")
    archive = reservoir_fills(root)
    files = fill_files(archive, since, until, dex)
    if not files and not (since and until and fill_files(archive, dex=dex)):
        raise FileNotFoundError(
            f"root {root}: no fills of {dex or 'every market'} "
            f"from {since or 'the first day'} to {until or 'the last'}"
        )
    where, label = Lake.at(lake), label_of(root, SOURCE)
    landed = Landed(FILLS.name)
    for number, (day, path) in enumerate(files.items()):
        if progress:
            progress(path, number, len(files))
        scope = dex or EVERY_MARKET
        refuse_both(where, day, label, scope)
        _land_day(archive, day, path, where, label, scope, landed)
    if progress:
        progress("fills", len(files), len(files))
    first, end = since or min(files), until or max(files) + timedelta(days=1)
    for day in (first + timedelta(days=n) for n in range((end - first).days)):
        if day in files:
            landed.asked.append(Ask(FILLS.name, SOURCE, day, ALL_DAY, "landed"))
        elif day >= SINCE:
            landed.gaps.append(f"{label}: no file of fills for {day}")
            reason = "no file of this day"
            landed.asked.append(Ask(FILLS.name, SOURCE, day, ALL_DAY, "absent", reason))
    return landed


def _land_day(
    archive: Archive,
    day: date,
    path: str,
    lake: Lake,
    label: str,
    scope: str,
    landed: Landed,
) -> None:
    """Land the file of a day, and say in ``landed`` what was done."""
    found: Counter[str] = Counter()
    with guarded(lake) as batches:
        fills = SpilledHours(batches.stage / "waiting-fills")
        odd = SpilledHours(batches.stage / "waiting-unknown")
        try:
            found += _spill(archive, day, path, label, fills, odd, landed)
        finally:
            fills.close()
            odd.close()
        hours = list(fills.hours())
        for hour in hours:
            part = f"{label}-{scope}-{hour:%H}"
            if hour.date() != day:
                # Their own day's file has parts of these names.
                part += f"-of-{day:%Y%m%d}"
            _land_hour(batches, fills.take(hour), odd.take(hour), part, path, archive, landed)
        landed.notes += [
            note for note in news(lake, label, FILLS.name, found) if note not in landed.notes
        ]
        if strays := sum(hour.date() != day for hour in hours):
            landed.notes.append(f"{label}: {path} has fills of {strays} hours of other days")
    landed.files += batches.places.get(FILLS.name, [])


def _spill(
    archive: Archive,
    day: date,
    path: str,
    label: str,
    fills: SpilledHours,
    odd: SpilledHours,
    landed: Landed,
) -> Counter[str]:
    """Put a file's rows on disk by hour, and return the fields that are kept of it."""
    found: Counter[str] = Counter()
    known = pa.scalar(known_ts(day), TS)
    for first_row, rows in read(archive, path):
        piece = to_fills(rows, path, first_row)
        for name, count in piece.unknown.items():
            landed.unknown_fields[name] = landed.unknown_fields.get(name, 0) + count
        count = piece.fills.num_rows
        made = piece.fills.append_column("source", pa.repeat(label, count))
        # Never before it was true.
        published = pc.if_else(pc.less(made["time_ts"], known), known, made["time_ts"])
        made = made.append_column("known_ts", published)
        fills.add(made)
        if piece.unknown.kept:
            kept = unknown_rows(piece.unknown, made, label, FILLS.name, path, FILLS.time)
            found += fields_in(kept["fields"])
            odd.add(kept)
    return found


def _land_hour(
    batches: Landing,
    rows: pa.Table,
    odd: pa.Table | None,
    part: str,
    path: str,
    archive: Archive,
    landed: Landed,
) -> None:
    """Land the rows of an hour, each once."""
    origins = archive.origins(path)
    kept = first_known(rows, FILLS.grain, sides(rows))
    batches.land(FILLS, kept.rows, part, origins)
    if odd is not None:
        batches.land(UNKNOWN_FIELDS, odd, part, origins)
    landed.rows += kept.rows.num_rows
    landed.duplicates += kept.duplicates
    if kept.disagreeing:
        landed.notes.append(
            f"{part} of {path}: {kept.disagreeing} duplicates disagreed with the first, which "
            "was kept"
        )
