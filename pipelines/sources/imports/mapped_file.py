"""This module translates files of any columns to rows of a contract, as a mapping says."""

from collections import Counter
from collections.abc import Mapping as Dictionary
from collections.abc import Sequence
from datetime import datetime

import polars as pl

from pipelines.sources.archive import Archive
from pipelines.sources.errors import SourceError
from pipelines.sources.imports.entry import kind_of
from pipelines.sources.imports.imported import Imported, held, once
from pipelines.sources.imports.mapping import Mapping
from pipelines.sources.imports.raw_file import RawFile, read_csv, read_parquet
from pipelines.sources.imports.row_rules import completed, hold_rows
from pipelines.sources.imports.snapshot_rows import snapshot_rows
from pipelines.sources.imports.texts import EARLIEST, LATEST
from pipelines.sources.imports.values import KINDS, Filler
from warehouse.contracts.positions import POSITIONS, SNAPSHOTS


def read_mapped(
    archive: Archive, paths: Sequence[str], mapping: Mapping, at: datetime | None = None
) -> Imported:
    """Read files of one mapping as one import; see :func:`to_rows`."""
    return to_rows({path: archive.read(path) for path in paths}, mapping, at)


def to_rows(
    bodies: Dictionary[str, bytes], mapping: Mapping, at: datetime | None = None
) -> Imported:
    r"""Translate files to the rows of one import.  Pure.

    Parameters
    ----------
    bodies
        Name of each file -> its bytes.  Several files are one batch: a row that two of them
        hold comes once.
    mapping
        What their columns mean.
    at
        The moment that the mapping asks for with ``given = "at"``; with a zone.

    Returns
    -------
    Imported
        Rows of the mapping's table; of ``positions`` with their rows of ``snapshots``.

    Raises
    ------
    SourceError
        If a file is not as the mapping says, naming file, line and field.
    ValueError
        If ``at`` is needed and not given, given and not needed, has no zone, or is not between
        2009 and 2099.

    Examples
    --------
    >>> from pipelines.sources.imports.mapping import to_mapping
    >>> mapping = to_mapping('''
    ... table = "positions"
    ... source = "my_export"
    ... [columns]
    ... coin = "asset"
    ... account = "wallet"
    ... size = { column = "qty", scale = -1.0 }
    ... notional = { column = "kusd", scale = 1000.0 }
    ... snapshot_ts = { column = "time", unit = "ms" }
    ... scope = { value = "hyperliquid" }
    ... known_ts = { delay = "1h", after = "snapshot_ts" }
    ... ''')
    >>> body = f"time,wallet,asset,qty,kusd,n\n1770292800000,0x{'AB' * 20},BTC,2,140,1\n"
    >>> imported = to_rows({"mine.csv": body.encode()}, mapping)
    >>> [(table.name, rows.num_rows) for table, rows in imported.tables]
    [('positions', 1), ('snapshots', 1)]
    >>> row = imported.tables[0][1].to_pylist()[0]
    >>> row["size"], row["mark_px"], row["liquidation_px"], str(row["known_ts"])
    (-2.0, 70000.0, None, '2026-02-05 13:00:00+00:00')
    >>> dict(imported.unknown_fields)
    {'n': 1}
    """
    _hold_at(mapping, at)
    unknown: Counter[str] = Counter()
    emptied: Counter[str] = Counter()
    files, frames = [], []
    for number, (file, body) in enumerate(bodies.items()):
        raw = _raw(body, file, mapping)
        filler = Filler(raw, mapping, at)
        rows = _filled(filler, mapping)
        hold_rows(rows, mapping, raw)
        emptied.update(filler.emptied)
        unknown.update(raw.unknown(mapping.reads | mapping.ignore))
        files.append(raw)
        frames.append(
            rows.with_columns(source=pl.lit(mapping.source), file=pl.lit(number, pl.Int64))
            .with_row_index("row")
            .with_columns(pl.col("row").cast(pl.Int64))
        )
    if not frames:
        raise ValueError(f"{mapping.name}: no file to read")
    every, duplicates = once(
        pl.concat(frames), mapping.table, lambda file, row: files[file].place(row)
    )
    named = files[0].file if len(files) == 1 else f"{files[0].file} and {len(files) - 1} more"
    tables = [(mapping.table, held(every, mapping.table, named))]
    if mapping.table is POSITIONS:
        counted = snapshot_rows(every, complete=mapping.complete)
        tables.append((SNAPSHOTS, held(counted, SNAPSHOTS, named)))
    notes = [f"{count} read as missing: {what}" for what, count in emptied.items() if count]
    return Imported(tables, unknown, duplicates, notes)


def _hold_at(mapping: Mapping, at: datetime | None) -> None:
    if mapping.needs_at != (at is not None):
        says = "needs a moment, none is given" if mapping.needs_at else "takes no moment"
        raise ValueError(f"{mapping.name}: {says}")
    if at is not None and (at.tzinfo is None or not EARLIEST <= at < LATEST):
        raise ValueError(f"at {at}: must have a zone and be between 2009 and 2099")


def _raw(body: bytes, file: str, mapping: Mapping) -> RawFile:
    return (
        read_csv(body, file, mapping.delimiter) if mapping.is_text else read_parquet(body, file)
    )


def _filled(filler: Filler, mapping: Mapping) -> pl.DataFrame:
    """Return every column of the table but ``source``; null where nothing fills it."""
    try:
        return _columns(filler, mapping)
    except pl.exceptions.PolarsError as error:
        reason = " ".join(str(error).split())[:200]
        raise SourceError(f"{filler.raw.file}: {reason}") from error


def _columns(filler: Filler, mapping: Mapping) -> pl.DataFrame:
    entries = mapping.entries.values()
    rows = pl.DataFrame([filler.fill(entry) for entry in entries if not entry.after])
    rows = rows.with_columns(
        (pl.col(entry.after) + entry.delay).alias(entry.target.name)
        for entry in entries
        if entry.after
    )
    rows = completed(rows, mapping)
    return rows.with_columns(
        pl.lit(None, dtype=KINDS[kind_of(column)]).alias(column.name)
        for column in mapping.table.columns
        if column.name not in (*rows.columns, "source")
    )
