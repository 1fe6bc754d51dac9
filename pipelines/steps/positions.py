"""This module lands snapshots of positions."""

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa

from pipelines.landed import Landed
from pipelines.sources import reservoir
from pipelines.sources.archive import Archive, label_of
from pipelines.sources.documented_tiers import documented_tiers
from pipelines.steps.staging import in_lake, staged
from warehouse.catalog import NoLake, open_lake
from warehouse.contracts.tables import POSITIONS, SNAPSHOTS
from warehouse.margin import Filled, Tier, TierTable, fill_liquidation_px
from warehouse.store import land

Progress = Callable[[str, int, int], None]


def land_reservoir(
    root: str,
    lake: Path,
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
        Of ``positions`` and of ``snapshots``, landed all or none; positions move into the lake
        first, so that a reader who finds a row in ``snapshots`` finds its positions.  A day
        of the range without a snapshot is a gap.

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
        with staged(Path(lake)) as stage:
            _land(archive, files, Path(lake), stage, source, progress, positions, snapshots)
    elif not (since and until and any(reservoir.snapshot_files(archive))):
        raise FileNotFoundError(
            f"root {root}: no snapshot from {since or 'the first day'} to {until or 'the last'}"
        )
    if progress:
        progress("positions", len(files), len(files))
    positions.gaps = _gaps(files, since, until)
    return [positions, snapshots]


def _land(
    archive: Archive,
    files: list[reservoir.SnapshotFile],
    lake: Path,
    stage: Path,
    source: str,
    progress: Progress | None,
    positions: Landed,
    snapshots: Landed,
) -> None:
    """Write the files' parts to ``stage``, and say in both ``Landed`` what was done."""
    tiers = _Tiers(lake)
    emptied: Counter[str] = Counter()
    for number, file in enumerate(files):
        if progress:
            progress(f"{file.snapshot_ts:%Y-%m-%d %H:%M} {file.scope}", number, len(files))
        rows = reservoir.read(archive, file)
        filled = fill_liquidation_px(rows.positions, tiers.at(file.snapshot_ts, file.known_ts))
        emptied.update(rows.emptied)
        part = f"{source}-{file.scope}-{int(file.snapshot_ts.timestamp() * 1000)}"
        batch = filled.positions.with_columns(source=pl.lit(source))
        written = land(stage, POSITIONS, batch.to_arrow(), part)
        positions.files += in_lake(written, stage, lake)
        positions.rows += batch.height
        for name, count in rows.unknown_fields.items():
            positions.unknown_fields[name] = positions.unknown_fields.get(name, 0) + count
        summary = _summary(file, filled, source)
        snapshots.files += in_lake(land(stage, SNAPSHOTS, summary, part), stage, lake)
        snapshots.rows += 1
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
    seen = {file.snapshot_ts.date() for file in files}
    first, end = since or min(seen), until or max(seen) + timedelta(days=1)
    days = [first + timedelta(days=n) for n in range((end - first).days)]
    low, high = reservoir.KNOWN_HOLE
    return [
        f"reservoir: no snapshot on {day}"
        + (" (a known hole of the source)" if low <= day < high else "")
        for day in days
        if day not in seen
    ]


class _Tiers:
    """Margin tiers by moment: the lake's instruments then, else the documented ones."""

    def __init__(self, lake: Path) -> None:
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
