"""This module holds filled columns to their contract, and completes what follows from others.

Each complaint names the line of the file, which the contract itself no longer knows.
"""

import polars as pl

from pipelines.sources.errors import SourceError
from pipelines.sources.imports.entry import Entry
from pipelines.sources.imports.keys import named
from pipelines.sources.imports.mapping import PLAIN, Mapping
from pipelines.sources.imports.mapping_columns import targets_of
from pipelines.sources.imports.raw_file import RawFile
from pipelines.sources.info.fields import shown
from warehouse.contracts.market import CANDLES
from warehouse.contracts.positions import POSITIONS
from warehouse.contracts.table import Column, Table

# How far |size| x mark_px may lie from notional: an export rounds, a wrong unit is 100 x off.
NOTIONAL_AGREES = 0.01
# Letter of a bar's interval -> its seconds; a month is its shortest.
BAR_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800, "M": 28 * 86_400}
INTERVAL = r"^([0-9]{1,4})([smhdwM])$"


def completed(rows: pl.DataFrame, mapping: Mapping) -> pl.DataFrame:
    """Return positions with what follows from other columns; rows of another table as they are.

    >>> rows = pl.DataFrame({"size": [-2.0], "notional": [140.0], "liquidation_px": [90.0]})
    >>> from types import SimpleNamespace
    >>> completed(rows, SimpleNamespace(table=POSITIONS)).row(0)
    (-2.0, 140.0, 90.0, 70.0, 'venue')
    """
    if mapping.table is not POSITIONS:
        return rows
    size = pl.col("size").abs()
    if "mark_px" not in rows.columns:
        mark = pl.when(size > 0).then(pl.col("notional") / size)
        rows = rows.with_columns(mark_px=mark)
    if "liquidation_px" not in rows.columns:
        return rows
    priced = pl.col("liquidation_px").is_not_null()
    given = "liquidation_px_source" in rows.columns
    source = pl.col("liquidation_px_source") if given else pl.lit("venue")
    return rows.with_columns(liquidation_px_source=pl.when(priced).then(source))


def hold_rows(rows: pl.DataFrame, mapping: Mapping, raw: RawFile) -> None:
    """Raise if a row breaks its contract, or contradicts itself.

    Parameters
    ----------
    rows
        Every column of the table but ``source``, in their types, in the order of the file.
    mapping
        Where they came from.
    raw
        The file, to name a line of.

    Raises
    ------
    SourceError
        Naming file, line, field, what is allowed and what was found.
    """
    for column in targets_of(mapping.table).values():
        if column.name in rows.columns:
            _hold_column(rows[column.name], column, mapping.entries.get(column.name), raw)
    if mapping.table is POSITIONS and "notional" in rows.columns:
        notional = rows["size"].abs() * rows["mark_px"]
        apart = (notional - rows["notional"]).abs() > NOTIONAL_AGREES * rows["notional"]
        _refuse(rows, raw, apart, "notional", "must be |size| x mark_px")
    if mapping.table is CANDLES:
        highest = (
            rows["high_px"]
            < rows.select(pl.max_horizontal("open_px", "low_px", "close_px")).to_series()
        )
        _refuse(rows, raw, highest, "high_px", "must be the highest")
        lowest = (
            rows["low_px"] > rows.select(pl.min_horizontal("open_px", "close_px")).to_series()
        )
        _refuse(rows, raw, lowest, "low_px", "must be the lowest")
    early = rows.select(pl.col("known_ts") < _earliest(mapping.table)).to_series()
    what = "the end of its bar" if mapping.table is CANDLES else mapping.table.time
    _refuse(rows, raw, early, "known_ts", f"must not be before {what}")


def _hold_column(values: pl.Series, column: Column, entry: Entry | None, raw: RawFile) -> None:
    """Raise if a value is missing that must not be, or breaks a rule of its column."""
    field = column.name
    if entry and entry.columns and entry.columns != (column.name,):
        field = f"{named(' or '.join(entry.columns))} for {column.name}"
    if not column.null and values.null_count():
        row = values.is_null().arg_max()
        assert row is not None
        raise SourceError(f"{raw.place(row)}: field {field} must not be missing")
    if column.name == "scope":
        fits = values.str.contains(f"^{PLAIN.pattern}$")
        raw.refuse(~fits, field, f"must match {PLAIN.pattern}", values)
    array = values.to_arrow().cast(column.kind)
    for rule in column.all_rules:
        if (row := rule.first_break(array)) is not None:
            raise SourceError(
                f"{raw.place(row)}: field {field} {rule.says}, is {shown(values[row])}"
            )


def _refuse(rows: pl.DataFrame, raw: RawFile, broken: pl.Series, name: str, must: str) -> None:
    raw.refuse(broken, name, must, rows[name].cast(pl.String))


def _earliest(table: Table) -> pl.Expr:
    """Return the first instant at which a row can be known: a bar's once it has ended."""
    if table is not CANDLES:
        return pl.col(table.time)
    parts = pl.col("interval").str.extract_groups(INTERVAL).struct
    count = parts.field("1").cast(pl.Int64)
    seconds = count * parts.field("2").replace_strict(
        BAR_SECONDS, default=None, return_dtype=pl.Int64
    )
    return pl.col(table.time) + pl.duration(seconds=seconds.fill_null(0))


__all__ = ["completed", "hold_rows"]
