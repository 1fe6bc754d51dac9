"""This module reads position snapshots of Hydromancer's Reservoir.

Docs: https://docs.hydromancer.xyz/reservoir/schema-reference/snapshots (read 2026-11-21).
One Parquet file a snapshot, taken from the chain's own state, so it holds every position of
its dexes by the source's word.  ``liquidation_price`` is null where there is none, and
``account_value`` takes spot collateral in where the account is unified.  The bucket is
requester-pays: reading it costs its reader money.

Publication is not documented for snapshots.  The vendor's other daily exports run at 00:10 UTC
of the next day; a snapshot counts as known an hour after the midnight that follows it.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

import polars as pl
import pyarrow as pa

from pipelines.sources.archive import Archive
from pipelines.sources.errors import SourceError
from pipelines.sources.parquet_files import frame, whole
from pipelines.sources.typed_columns import shown
from pipelines.sources.unknown import Unknown, odd_columns

BUCKET = "hydromancer-reservoir"
EVERY_DEX = "global/snapshots/perp/all"
ONE_DEX = "by_dex"
FILE = re.compile(r"/date=(\d{4}-\d{2}-\d{2})/\d+_(?P<ms>\d{13})\.parquet$")
PUBLISHED_AFTER_MIDNIGHT = timedelta(hours=1)

# Field of the source -> type it is read as, and whether a row may lack it.
REQUIRED = {
    "user": (pl.String, False),
    "market": (pl.String, False),
    "size": (pl.Float64, False),
    "notional": (pl.Float64, False),
    "entry_price": (pl.Float64, True),
    "liquidation_price": (pl.Float64, True),
    "leverage_type": (pl.String, True),
    "leverage": (pl.Float64, True),
    "account_value": (pl.Float64, True),
}
# Field that is read as none where it is not above 0 -> what its values are called.
EMPTIED = {
    "liquidation_price": "liquidation prices",
    "entry_price": "entry prices",
    "leverage": "leverages",
}
LEVERAGE_TYPES = ("cross", "isolated")
ADDRESS = "^0x[0-9a-fA-F]{40}$"
OPTIONAL = {"funding_pnl": pl.Float64, "account_mode": pl.String}


class SnapshotFile(NamedTuple):
    """One file of the archive."""

    path: str
    scope: str
    snapshot_ts: datetime

    @property
    def known_ts(self) -> datetime:
        """Return when a follower of the archive could have had it."""
        midnight = datetime.combine(self.snapshot_ts.date(), time(), UTC) + timedelta(days=1)
        return midnight + PUBLISHED_AFTER_MIDNIGHT


class Rows(NamedTuple):
    """A translated file: rows of ``positions`` without the margin engine's columns."""

    positions: pl.DataFrame
    unknown_fields: Unknown
    emptied: dict[str, int]  # what was not above 0 and read as none -> how often


def reservoir(root: str) -> Archive:
    """Return the archive below ``root``: the bucket itself, or the folder that holds it.

    Raises
    ------
    FileNotFoundError
        If neither holds files of every dex or of single dexes.
    """
    outer = Archive(root)
    if outer.has(EVERY_DEX) or outer.has(ONE_DEX):
        return outer
    if outer.has(f"{BUCKET}/{EVERY_DEX}") or outer.has(f"{BUCKET}/{ONE_DEX}"):
        return Archive(f"{outer.root.rstrip('/')}/{BUCKET}")
    raise FileNotFoundError(
        f"root {outer.root}: neither it nor its folder {BUCKET}/ holds {EVERY_DEX}/ or "
        f"{ONE_DEX}/"
    )


def snapshot_files(
    archive: Archive, since: date | None = None, until: date | None = None
) -> Iterator[SnapshotFile]:
    """Yield the snapshots taken in ``[since, until)`` (UTC days), oldest first in each scope.

    A file of every dex is preferred to the files of single dexes of the same day.
    """
    every = list(_files_in(archive, EVERY_DEX, "all"))
    whole_days = {file.snapshot_ts.date() for file in every}
    single = (
        file
        for folder in archive.folders(ONE_DEX)
        for file in _files_in(archive, f"{folder}/snapshots/perp", folder.rpartition("/")[2])
        if file.snapshot_ts.date() not in whole_days
    )
    for file in (*every, *single):
        day = file.snapshot_ts.date()
        if (since is None or day >= since) and (until is None or day < until):
            yield file


def _files_in(archive: Archive, prefix: str, scope: str) -> Iterator[SnapshotFile]:
    for path in archive.files(prefix, ".parquet"):
        if name := FILE.search("/" + path):
            yield SnapshotFile(path, scope, datetime.fromtimestamp(int(name["ms"]) / 1000, UTC))


def read(archive: Archive, file: SnapshotFile) -> Rows:
    """Read one snapshot and translate it.

    Raises
    ------
    SourceError
        If the file is no Parquet, or a required field is missing, of another type, or null
        where it may not be; the message names file, field and row.
    """
    table = whole(archive.read(file.path), file.path)
    known = frame(table, file.path, [*REQUIRED, *OPTIONAL])
    # A hive-style reader adds the folder's key; it is not a field of the file.
    return _translated(known, odd_columns(table, known.columns), file)


def to_positions(raw: pl.DataFrame, file: SnapshotFile) -> Rows:
    """Translate a snapshot's records to the ``positions`` contract.  Pure.

    A liquidation price, entry price or leverage that is not above 0 is the same as none (of
    liquidation prices by the venue's own rule) and is counted.

    Raises
    ------
    SourceError
        See :func:`read`; also if an address is none, a size is 0 or a notional not above 0.

    >>> from datetime import UTC, datetime
    >>> raw = pl.DataFrame({
    ...     "user": ["0x" + "AB" * 20], "market": ["BTC"], "size": [-2.0],
    ...     "notional": [140000.0], "entry_price": [71000.0],
    ...     "liquidation_price": [90000.0], "leverage_type": ["cross"], "leverage": [10],
    ...     "account_value": [5e4], "new": [1],
    ... })
    >>> file = SnapshotFile("f", "hyperliquid", datetime(2026, 1, 1, 18, tzinfo=UTC))
    >>> rows = to_positions(raw, file)
    >>> rows.positions.select("coin", "size", "mark_px").row(0)
    ('BTC', -2.0, 70000.0)
    >>> dict(rows.unknown_fields), str(file.known_ts)
    ({'new': 1}, '2026-01-02 01:00:00+00:00')
    """
    odd = [name for name in raw.columns if name not in {*REQUIRED, *OPTIONAL}]
    return _translated(raw, odd_columns(raw[odd].to_arrow(), ()), file)


def _translated(raw: pl.DataFrame, odd: dict[str, pa.ChunkedArray], file: SnapshotFile) -> Rows:
    """Translate the documented columns, and keep what the ``odd`` ones hold."""
    fields = {name: kind for name, (kind, _) in REQUIRED.items()} | OPTIONAL
    for name in REQUIRED:
        if name not in raw.columns:
            raise SourceError(f"{file.path}: field {name} is missing")
    columns = [
        _typed(raw[name], kind, file)
        if name in raw.columns
        else pl.Series(name, [None] * raw.height, kind)
        for name, kind in fields.items()
    ]
    rows = pl.DataFrame(columns)
    for name, (_, may_lack) in REQUIRED.items():
        if not may_lack and rows[name].null_count():
            row = rows[name].is_null().arg_true()[0]
            raise SourceError(f"{file.path} row {row}: field {name} must not be null")
    _refuse(
        ~pl.col("user").str.contains(ADDRESS), "user", "must be 0x and 40 digits", rows, file
    )
    for name, kind in fields.items():
        if kind == pl.Float64:
            _refuse(~pl.col(name).is_finite(), name, "must be finite", rows, file)
        else:
            _refuse(pl.col(name) == "", name, "must not be empty", rows, file)
    margin = ~pl.col("leverage_type").is_in(LEVERAGE_TYPES)
    _refuse(margin, "leverage_type", "must be cross or isolated", rows, file)
    _refuse(pl.col("size") == 0, "size", "must not be 0", rows, file)
    _refuse(pl.col("notional") <= 0, "notional", "must be above 0", rows, file)
    mark = pl.col("notional") / pl.col("size").abs()
    _refuse(~(mark.is_finite() & (mark > 0)), "notional", "must be size x a price", rows, file)
    counts = rows.select((pl.col(*EMPTIED) <= 0).sum()).row(0)
    rows = rows.with_columns(
        pl.when(pl.col(name) > 0).then(name).alias(name) for name in EMPTIED
    )
    positions = rows.select(
        snapshot_ts=pl.lit(file.snapshot_ts, pl.Datetime("us", "UTC")),
        scope=pl.lit(file.scope),
        coin="market",
        account=pl.col("user").str.to_lowercase(),
        size="size",
        entry_px="entry_price",
        mark_px=mark,
        liquidation_px="liquidation_price",
        leverage="leverage",
        leverage_type="leverage_type",
        max_leverage=pl.lit(None, pl.Float64),
        margin_used=pl.lit(None, pl.Float64),
        account_value="account_value",
        account_mode="account_mode",
        funding_pnl="funding_pnl",
        known_ts=pl.lit(file.known_ts, pl.Datetime("us", "UTC")),
    )
    unknown = Unknown()
    unknown.keep_columns(odd, range(raw.height))
    return Rows(positions, unknown, dict(zip(EMPTIED.values(), counts, strict=True)))


def _refuse(
    broken: pl.Expr, field: str, must: str, rows: pl.DataFrame, file: SnapshotFile
) -> None:
    """Raise if a row is ``broken``, naming the first one's number and value."""
    if (at := rows.select(broken).to_series().arg_true()).len():
        raise SourceError(
            f"{file.path} row {at[0]}: field {field} {must}, is {shown(rows[field], at[0])}"
        )


def _typed(values: pl.Series, kind: type[pl.DataType], file: SnapshotFile) -> pl.Series:
    """Return a field as ``kind``; text is never read as a number, nor a number as text."""
    fits = values.dtype == pl.Null or (
        values.dtype == pl.String if kind == pl.String else values.dtype.is_numeric()
    )
    if not fits:
        wanted = "text" if kind == pl.String else "a number"
        raise SourceError(
            f"{file.path}: field {values.name} must be {wanted}, is {values.dtype}"
        )
    return values.cast(kind)
