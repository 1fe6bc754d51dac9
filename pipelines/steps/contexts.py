"""This module lands what every coin showed each minute, a day's file a part."""

from datetime import date
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.landed import Landed
from pipelines.sources import asset_ctxs as source
from pipelines.sources.archive import Archive, label_of
from pipelines.steps.day_range import DayRange, Progress, asked_of
from pipelines.steps.unknown_rows import fields_in, news, unknown_rows
from warehouse.checks import guarded
from warehouse.contracts.tables import ASSET_CONTEXTS, UNKNOWN_FIELDS
from warehouse.store import Lake

SOURCE = "asset_ctxs"
LAYOUT = f"{source.PREFIX}/YYYYMMDD.csv.lz4"


def land_contexts(
    root: str,
    lake: Lake | Path | str,
    since: date | None = None,
    until: date | None = None,
    progress: Progress | None = None,
) -> Landed:
    """Land the readings of the UTC days in ``[since, until)``; safe to repeat.

    Parameters
    ----------
    root
        Folder or ``s3://`` URL above the archive's own paths.
    lake
        Folder or URL of the lake.
    since, until
        UTC days; everything there is without them.
    progress
        Called with what is done, how many are done, and of how many.

    Returns
    -------
    Landed
        Each day is a landing of its own: one that has ended stays, whatever comes after.  A
        day of the range without a file is a gap.  Of readings that come more than once the
        first is landed; readings of another day than their file's are left out.  Both are
        said.

    Raises
    ------
    FileNotFoundError
        If there is no file at all, or none in a range that has an end open.
    SourceError
        If a file is not as documented: nothing of its day has been landed.
    """
    archive = source.asset_ctxs(root)
    label = label_of(root, SOURCE)
    files = source.daily_files(archive)
    days = DayRange(files.paths, since, until)
    days.check(root, LAYOUT)
    landed = Landed(ASSET_CONTEXTS.name)
    for number, day in enumerate(days.there):
        if progress:
            progress(files.paths[day], number, len(days.there))
        landed.add(_land_day(archive, files.paths[day], day, lake, label))
        archive.forget()
    if progress:
        progress("contexts", len(days.there), len(days.there))
    landed.gaps += [f"{SOURCE}: no file of {day}" for day in days.missing]
    landed.asked += asked_of(ASSET_CONTEXTS.name, label, dict.fromkeys(days.missing, 0))
    if files.odd:
        landed.notes.append(
            f"{SOURCE}: {len(files.odd)} files not read, their names are not documented: "
            f"{files.odd[0]}"
        )
    return landed


def _land_day(
    archive: Archive, path: str, day: date, lake: Lake | Path | str, label: str
) -> Landed:
    """Land one file."""
    given, unknown = source.to_contexts(source.read(archive, path), path)
    own = given.filter(pl.col("context_ts").dt.date() == day)
    grain = ["venue", "coin", "context_ts"]
    rows = own.unique(grain, keep="first", maintain_order=True)
    landed = Landed(
        ASSET_CONTEXTS.name,
        rows=rows.height,
        duplicates=own.height - rows.height,
        unknown_fields=dict(sorted(unknown.items())),
        asked=asked_of(ASSET_CONTEXTS.name, label, {day: 1}),
    )
    if strays := given.height - own.height:
        landed.notes.append(f"{path}: {strays} readings of other days were not landed")
    if differing := own.unique().height - rows.height:
        landed.notes.append(
            f"{path}: {differing} readings disagreed with an earlier one of the same moment, "
            "which was kept"
        )
    odd = unknown_rows(
        unknown, given.to_arrow(), label, ASSET_CONTEXTS.name, path, ASSET_CONTEXTS.time
    )
    odd = odd.filter(pc.equal(odd["time_ts"].cast(pa.date32()), day))
    with guarded(lake) as batches:
        landed.notes += news(batches.lake, label, ASSET_CONTEXTS.name, fields_in(odd["fields"]))
        batch = rows.with_columns(source=pl.lit(label)).to_arrow()
        for table, each in ((ASSET_CONTEXTS, batch), (UNKNOWN_FIELDS, odd)):
            if each.num_rows:
                batches.land(table, each, SOURCE, archive.origins(path))
    landed.files = batches.places.get(ASSET_CONTEXTS.name, [])
    return landed
