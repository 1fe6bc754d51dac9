"""This module lands Artemis' daily balances: positions, who was seen, and a snapshot a day.

Each account's positions are of a moment of their own, as those of a sweep, so a day becomes
what a sweep becomes: ``snapshots`` has one line of it, which says when the first and the last
account were true, and is not complete by its source's word.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import polars as pl
import pyarrow as pa

from pipelines.landed import Landed
from pipelines.sources import artemis_balances as source
from pipelines.sources.archive import Archive, label_of
from pipelines.steps.day_range import DayRange, Progress, asked_of
from warehouse.checks import guarded
from warehouse.contracts.table import Table
from warehouse.contracts.tables import ACCOUNTS, POSITIONS, SNAPSHOTS
from warehouse.store import Lake

SOURCE = "artemis_balances"
LAYOUT = f"{source.PREFIX}/YYYY/MM/DD/*.jsonl"
TABLES = (POSITIONS, ACCOUNTS, SNAPSHOTS)
ASKED = (POSITIONS.name, SNAPSHOTS.name)  # what a day of the source is asked for


def land_balances(
    root: str,
    lake: Lake | Path | str,
    since: date | None = None,
    until: date | None = None,
    progress: Progress | None = None,
) -> list[Landed]:
    """Land the balances of the UTC days in ``[since, until)``; safe to repeat.

    Parameters
    ----------
    root
        Folder or ``s3://`` URL above the archive's own paths.
    lake
        Folder or URL of the lake.
    since, until
        UTC days, as the archive's folders name them; everything there is without them.
    progress
        Called with what is done, how many are done, and of how many.

    Returns
    -------
    list of Landed
        Of ``positions``, ``accounts`` (those that hold something: of the others the files'
        translation keeps a count only) and ``snapshots``.  Each day is a landing of its own,
        all its files or none.  A day of the range without a file is a gap.

    Raises
    ------
    FileNotFoundError
        If there is no file at all, or none in a range that has an end open.
    SourceError
        If a line is not as documented: nothing of its day has been landed.
    """
    archive = source.artemis_balances(root)
    label = label_of(root, SOURCE)
    files = source.balance_files(archive)
    days = DayRange(files, since, until)
    days.check(root, LAYOUT)
    landed = {table.name: Landed(table.name) for table in TABLES}
    for number, day in enumerate(days.there):
        if progress:
            progress(f"balances of {day}", number, len(days.there))
        for one in _land_day(archive, day, files[day], lake, label):
            landed[one.table].add(one)
        archive.forget()
    if progress:
        progress("balances", len(days.there), len(days.there))
    landed[POSITIONS.name].gaps += [f"{SOURCE}: no file of {day}" for day in days.missing]
    for name in ASKED:
        landed[name].asked += asked_of(name, label, dict.fromkeys(days.missing, 0))
    return list(landed.values())


def _land_day(
    archive: Archive, day: date, paths: Sequence[str], lake: Lake | Path | str, label: str
) -> list[Landed]:
    """Land the files of one day as one batch."""
    counts, unknown = Counter[str](), Counter[str]()
    tables, origins = [], []
    for path in paths:
        read = source.read(archive, path)
        tables.append(read.positions)
        origins += archive.origins(path)
        unknown += read.unknown
        counts["without a state"] += read.unanswered
        counts["without a time, taken as of the day's end"] += read.untimed
    given = pl.DataFrame(pa.concat_tables(tables))
    rows = given.unique(
        ["snapshot_ts", "scope", "coin", "account"], keep="first", maintain_order=True
    ).with_columns(
        source=pl.lit(label),
        liquidation_px_source=pl.when(pl.col("liquidation_px").is_not_null()).then(
            pl.lit("venue")
        ),
    )
    batch = {POSITIONS: rows, ACCOUNTS: _accounts(rows), SNAPSHOTS: _summary(rows)}
    with guarded(lake) as batches:
        for table, frame in batch.items():
            if frame.height:
                part = f"{SOURCE}-{day:%Y%m%d}"
                batches.land(table, _held(frame, table), part, origins)
    landed = [
        Landed(table.name, files=batches.places.get(table.name, []), rows=frame.height)
        for table, frame in batch.items()
    ]
    landed[0].duplicates = given.height - rows.height
    landed[0].unknown_fields = dict(sorted(unknown.items()))
    for one in landed:
        if one.table in ASKED:
            one.asked = asked_of(one.table, label, {day: len(paths)})
    landed[0].notes = [
        f"{SOURCE} {day}: {count} accounts {what}" for what, count in counts.items() if count
    ]
    return landed


def _accounts(positions: pl.DataFrame) -> pl.DataFrame:
    """Return one row of ``accounts`` for each account and moment of ``positions``.

    >>> rows = pl.DataFrame({"snapshot_ts": [1, 1], "source": "s", "scope": "x",
    ...     "account": "0x1", "account_value": [9.0, 9.0], "size": [-0.01, 0.4],
    ...     "liquidation_px": [90.0, None], "mark_px": [100.0, 5.0], "account_mode": None,
    ...     "known_ts": [2, 2]})
    >>> made = _accounts(rows).row(0, named=True)
    >>> made["positions"], made["notional"], round(made["nearest_pct"], 9), made["sweep_ts"]
    (2, 3.0, 10.0, 1)
    """
    away = (pl.col("liquidation_px") / pl.col("mark_px") - 1).abs() * 100
    rows = positions.group_by(
        "snapshot_ts", "source", "scope", "account", maintain_order=True
    ).agg(
        pl.col("account_value").first(),
        pl.len().cast(pl.Int64).alias("positions"),
        (pl.col("size").abs() * pl.col("mark_px")).sum().alias("notional"),
        away.min().alias("nearest_pct"),
        pl.col("account_mode").first(),
        pl.col("known_ts").max(),
    )
    return rows.rename({"snapshot_ts": "state_ts"}).with_columns(
        pl.col("state_ts").max().alias("sweep_ts"), pl.lit(None, pl.Float64).alias("spot_usdc")
    )


def _summary(positions: pl.DataFrame) -> pl.DataFrame:
    """Return the row of ``snapshots``; none where nobody holds anything.

    The venue's own states give every price that exists, so none is computed.
    """
    none = pl.lit(None, pl.Int64)
    rows = positions.group_by("source", "scope").agg(
        pl.col("snapshot_ts").max(),
        pl.col("snapshot_ts").min().alias("started_ts"),
        pl.col("account").n_unique().cast(pl.Int64).alias("accounts"),
        pl.len().cast(pl.Int64).alias("positions"),
        pl.col("liquidation_px").count().cast(pl.Int64).alias("px_venue"),
        pl.col("liquidation_px").null_count().cast(pl.Int64).alias("px_unknown"),
        pl.col("known_ts").max(),
    )
    return rows.with_columns(
        complete=pl.lit(False),
        trusted=pl.lit(True),
        accounts_asked=none,
        accounts_failed=none,
        accounts_skipped=none,
        px_computed=pl.lit(0, pl.Int64),
        px_never=pl.lit(0, pl.Int64),
    )


def _held(rows: pl.DataFrame, table: Table) -> pa.Table:
    return rows.select(table.schema.names).to_arrow()
