"""This module lands snapshots of positions."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa

from pipelines.landed import Landed
from pipelines.sources import reservoir
from pipelines.sources.documented_tiers import documented_tiers
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
        What the rows say of where they came from.
    progress
        Called with what is done, how many are done, and of how many.

    Returns
    -------
    list of Landed
        Of ``positions`` and of ``snapshots``.  A snapshot's positions are landed before its
        row in ``snapshots``, so that a reader who finds the row finds the positions.
    """
    archive = reservoir.reservoir(root)
    files = list(reservoir.snapshot_files(archive, since, until))
    if not files:
        raise FileNotFoundError(
            f"root {root}: no snapshot from {since or 'the first day'} to {until or 'the last'}"
        )
    tiers = _Tiers(lake)
    positions, snapshots = Landed(POSITIONS.name), Landed(SNAPSHOTS.name)
    emptied = 0
    for number, file in enumerate(files):
        if progress:
            progress(f"{file.snapshot_ts:%Y-%m-%d %H:%M} {file.scope}", number, len(files))
        rows = reservoir.read(archive, file)
        filled = fill_liquidation_px(rows.positions, tiers.at(file.snapshot_ts))
        emptied += rows.not_positive_px
        part = f"{source}-{file.scope}-{int(file.snapshot_ts.timestamp() * 1000)}"
        batch = filled.positions.with_columns(source=pl.lit(source))
        positions.files += land(lake, POSITIONS, batch.to_arrow(), part)
        positions.rows += batch.height
        for name, count in rows.unknown_fields.items():
            positions.unknown_fields[name] = positions.unknown_fields.get(name, 0) + count
        summary = _summary(file, filled, source)
        snapshots.files += land(lake, SNAPSHOTS, summary, part)
        snapshots.rows += 1
    if progress:
        progress("positions", len(files), len(files))
    if emptied:
        positions.notes.append(f"{emptied} liquidation prices not above 0 were read as none")
    positions.gaps = _gaps(files, since, until)
    return [positions, snapshots]


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
                    "select coin, effective_ts, margin_tiers from instruments "
                    "order by effective_ts"
                ).fetchall()
        except NoLake:
            self._instruments = []
        self._documented = documented_tiers()

    def at(self, moment: datetime) -> TierTable:
        held: dict[str, list[Tier]] = dict(self._documented)
        for coin, effective_ts, tiers in self._instruments:
            if effective_ts <= moment:
                held[coin] = [Tier(tier["lower_bound"], tier["max_leverage"]) for tier in tiers]
        return TierTable.of(held)
