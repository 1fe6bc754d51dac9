"""This module lands snapshots of positions."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa

from pipelines.landed import Landed
from pipelines.sources import reservoir
from pipelines.sources.archive import Archive, label_of
from pipelines.sources.documented_tiers import documented_tiers
from pipelines.steps.unknown_rows import fields_in, news, unknown_rows
from warehouse.catalog import open_lake
from warehouse.checks import guarded
from warehouse.contracts.tables import POSITIONS, SNAPSHOTS, UNKNOWN_FIELDS
from warehouse.health.cadences import midnight
from warehouse.known_holes import hole_at, known_holes
from warehouse.margin import Filled, Tier, TierTable, fill_liquidation_px
from warehouse.store import Lake, Landing, NoLake
from warehouse.store.asks import ALL_DAY, Ask

Progress = Callable[[str, int, int], None]


def land_reservoir(
    root: str,
    lake: Path | str,
    since: date | None = None,
    until: date | None = None,
    source: str = "reservoir",
    progress: Progress | None = None,
) -> list[Landed]:
    """Land the Reservoir snapshots taken in ``[since, until)``; safe to repeat.

    Parameters
    ----------
    root
        Folder or ``s3://`` URL above the archive's own paths.
    lake
        Folder of the lake.  Margin tiers come from its ``instruments`` as of each snapshot,
        else from the venue's documentation; without either a coin gets no computed price.
    since, until
        UTC days; everything there is without them.
    source
        What the rows say of where they came from; those of a simulated venue say so.
    progress
        Called with what is done, how many are done, and of how many.

    Returns
    -------
    list of Landed
        Of ``positions`` and of ``snapshots``, landed all or none.  A day of the range without
        a snapshot is a gap.

    Raises
    ------
    FileNotFoundError
        If there is no snapshot at all, or none in a range that has an end open.
    SourceError
        If a file is not as documented.
    """
    if since and until and since >= until:
        raise ValueError(f"since {since} must be before until {until}, which is exclusive")
    archive = reservoir.reservoir(root)
    source = label_of(root, source)
    files = list(reservoir.snapshot_files(archive, since, until))
    positions, snapshots = Landed(POSITIONS.name), Landed(SNAPSHOTS.name)
    if files:
        with guarded(lake) as batches:
            _land(archive, files, batches, source, progress, positions)
        positions.files = batches.places[POSITIONS.name]
        snapshots.files = batches.places[SNAPSHOTS.name]
        snapshots.rows = len(files)
    elif not (since and until and any(reservoir.snapshot_files(archive))):
        raise FileNotFoundError(
            f"root {root}: no snapshot from {since or 'the first day'} to {until or 'the last'}"
        )
    if progress:
        progress("positions", len(files), len(files))
    positions.gaps = _gaps(files, since, until)
    for one in (positions, snapshots):
        one.asked = list(_asked(one.table, source, files, since, until))
    return [positions, snapshots]


def _land(
    archive: Archive,
    files: list[reservoir.SnapshotFile],
    batches: Landing,
    source: str,
    progress: Progress | None,
    positions: Landed,
) -> None:
    """Hand the files' rows to ``batches``, and say in ``positions`` what was done."""
    tiers = _Tiers(batches.lake)
    emptied: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for number, file in enumerate(files):
        if progress:
            progress(f"{file.snapshot_ts:%Y-%m-%d %H:%M} {file.scope}", number, len(files))
        rows = reservoir.read(archive, file)
        filled = fill_liquidation_px(rows.positions, tiers.at(file.snapshot_ts, file.known_ts))
        emptied.update(rows.emptied)
        part = f"{source}-{file.scope}-{int(file.snapshot_ts.timestamp() * 1000)}"
        batch = filled.positions.with_columns(source=pl.lit(source))
        origins = archive.origins(file.path)
        batches.land(POSITIONS, batch.to_arrow(), part, origins)
        batches.land(SNAPSHOTS, _summary(file, filled, source), part, origins)
        odd = unknown_rows(
            rows.unknown_fields,
            rows.positions.to_arrow(),
            source,
            POSITIONS.name,
            file.path,
            POSITIONS.time,
        )
        if odd.num_rows:
            batches.land(UNKNOWN_FIELDS, odd, part, origins)
            found += fields_in(odd["fields"])
        positions.rows += batch.height
        for name, count in rows.unknown_fields.items():
            positions.unknown_fields[name] = positions.unknown_fields.get(name, 0) + count
    positions.notes += news(batches.lake, source, POSITIONS.name, found)
    positions.notes += [
        f"{count} {what} not above 0 were read as none"
        for what, count in emptied.items()
        if count
    ]


def _summary(file: reservoir.SnapshotFile, filled: Filled, source: str) -> pa.Table:
    row = {
        "snapshot_ts": file.snapshot_ts,
        "source": source,
        "scope": file.scope,
        "complete": True,
        "trusted": True,
        "accounts_asked": None,
        "accounts_failed": None,
        "accounts": filled.positions["account"].n_unique(),
        "positions": filled.positions.height,
        "px_venue": filled.venue,
        "px_computed": filled.computed,
        "px_never": filled.never,
        "px_unknown": filled.unknown,
        "known_ts": file.known_ts,
    }
    return pa.Table.from_pylist([row], SNAPSHOTS.schema)


def _gaps(
    files: list[reservoir.SnapshotFile], since: date | None, until: date | None
) -> list[str]:
    """Return one sentence for each day of the range without a snapshot."""
    holes, said = known_holes(), []
    for day, there in _days(files, since, until):
        start = midnight(day)
        hole = hole_at(holes, POSITIONS.name, "reservoir", start, start + timedelta(days=1))
        if not there:
            fact = " (a known hole of the source)" if hole else ""
            said.append(f"reservoir: no snapshot on {day}{fact}")
    return said


def _asked(
    table: str,
    source: str,
    files: list[reservoir.SnapshotFile],
    since: date | None,
    until: date | None,
) -> Iterator[Ask]:
    """Yield what came of asking for each day of the range."""
    for day, there in _days(files, since, until):
        outcome = "landed" if there else "absent"
        reason = None if there else "the archive has no snapshot of this day"
        yield Ask(table, source, day, ALL_DAY, outcome, reason)


def _days(
    files: list[reservoir.SnapshotFile], since: date | None, until: date | None
) -> Iterator[tuple[date, bool]]:
    """Yield each day of the range, and whether there is a snapshot of it."""
    seen = {file.snapshot_ts.date() for file in files}
    first, end = since or min(seen), until or max(seen) + timedelta(days=1)
    for number in range((end - first).days):
        day = first + timedelta(days=number)
        yield day, day in seen


class _Tiers:
    """Margin tiers by moment: the lake's instruments then, else the documented ones."""

    def __init__(self, lake: Lake) -> None:
        try:
            with open_lake(lake) as con:
                self._instruments = con.sql(
                    "select coin, effective_ts, known_ts, margin_tiers from instruments "
                    "order by effective_ts, known_ts, source"
                ).fetchall()
        except NoLake:
            self._instruments = []
        self._documented = documented_tiers()

    def at(self, moment: datetime, known_by: datetime) -> TierTable:
        """Return the tiers that held at ``moment``, as far as was known by ``known_by``.

        Of a coin's instruments the newest counts, of two that begin together the one that
        was known last.
        """
        held: dict[str, list[Tier]] = dict(self._documented)
        for coin, effective_ts, known_ts, tiers in self._instruments:
            if effective_ts <= moment and known_ts <= known_by:
                held[coin] = [Tier(tier["lower_bound"], tier["max_leverage"]) for tier in tiers]
        return TierTable.of(held)
