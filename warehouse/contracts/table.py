"""This module says what a table's promise is made of, and holds a batch to it.

One declaration serves the writer, the reader, the test fixtures and the data dictionary.
"""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.contracts.rules import FINITE, Rule

TS = pa.timestamp("us", tz="UTC")


class ContractError(ValueError):
    """A batch breaks the promise of the table it was meant for."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a promise.

    Attributes
    ----------
    name, kind
        Name and Arrow type.
    doc
        One sentence; for a nullable column it says what null means.
    unit
        ``"USD"``, ``"coin"``, ``"fraction per hour"``; empty where there is none.
    null
        Whether a value may be missing.
    rules
        What every value that is present keeps.  Floats are always held to be finite.
    since
        Version of the contract that added it; parts of older versions lack it, and read null.
    """

    name: str
    kind: pa.DataType
    doc: str
    unit: str = ""
    null: bool = False
    rules: tuple[Rule, ...] = ()
    since: int = 1

    @property
    def field(self) -> pa.Field:
        """Return the Arrow field; ``doc`` and ``unit`` travel with it as metadata."""
        metadata = {"doc": self.doc, "unit": self.unit}
        return pa.field(self.name, self.kind, nullable=self.null, metadata=metadata)

    @property
    def all_rules(self) -> tuple[Rule, ...]:
        """Return the rules in the order they are tried."""
        return (FINITE, *self.rules) if pa.types.is_floating(self.kind) else self.rules


@dataclass(frozen=True, slots=True)
class Derived:
    """A column that readers see and no file holds: it follows from the others.

    Attributes
    ----------
    name, kind, doc, unit
        As of a :class:`Column`.
    sql
        What it is, over the columns of the table.
    null
        Whether it may be missing: where a column it follows from is.
    """

    name: str
    kind: pa.DataType
    doc: str
    sql: str
    unit: str = ""
    null: bool = False

    @property
    def field(self) -> pa.Field:
        """Return the Arrow field, as of a :class:`Column`."""
        return Column(self.name, self.kind, self.doc, self.unit, self.null).field


@dataclass(frozen=True, slots=True)
class Table:
    """A named promise.

    Attributes
    ----------
    name
        Folder name in the lake and view name in the catalog.
    doc
        One sentence: what one row is.
    grain
        Columns that identify a row; rows of a part are sorted by them.
    time
        Column whose UTC date is the partition ``day``.
    columns
        Columns in order, ``day`` left out: it is derived, and lives in the folder's name.
    told_once
        Columns that are equal where several sources tell of the same, times to the
        millisecond.  Readers then see it once, from the source that was known first; what one
        source tells n times is seen n times.  Empty: every row counts.
    """

    name: str
    doc: str
    grain: tuple[str, ...]
    time: str
    columns: tuple[Column, ...]
    told_once: tuple[str, ...] = ()
    derived: tuple[Derived, ...] = ()

    def __post_init__(self) -> None:
        """Hold a column that came later to be nullable: older parts lack it."""
        for column in self.columns:
            if column.since > 1 and not column.null:
                raise ValueError(f"{self.name}.{column.name}: came later, so must allow null")

    @property
    def version(self) -> int:
        """Return the version of the contract, which each added column raises."""
        return max(column.since for column in self.columns)

    @property
    def schema(self) -> pa.Schema:
        """Return the schema of a part file."""
        metadata = {"undertow.table": self.name, "undertow.contract": str(self.version)}
        return pa.schema([column.field for column in self.columns], metadata=metadata)

    @property
    def promised(self) -> pa.Schema:
        """Return the schema readers see: ``day``, the columns of the file, the derived."""
        day = Column("day", pa.date32(), f"UTC date of {self.time}; filter on it to skip files")
        return pa.schema([day.field, *self.schema, *(one.field for one in self.derived)])

    @property
    def purpose(self) -> str:
        """Return what the catalog says about this table."""
        return f"{self.doc}\n\ngrain: {', '.join(self.grain)}"

    def check(self, batch: pa.Table) -> pa.Table:
        """Return ``batch`` cast to the contract and sorted by grain.

        Raises
        ------
        ContractError
            If a column is missing, unexpected or cannot be cast, if a value is missing or
            breaks a rule, or if two rows share a grain.  The message names table, column,
            rule, value and row.
        """
        names = [column.name for column in self.columns]
        if missing := [name for name in names if name not in batch.column_names]:
            raise ContractError(f"{self.name}: column {missing[0]} is missing")
        if odd := [name for name in batch.column_names if name not in names]:
            raise ContractError(f"{self.name}: column {odd[0]} is not in the contract")
        batch = pa.table(
            [self._cast(column, batch[column.name]) for column in self.columns],
            schema=self.schema,
        ).combine_chunks()
        for column in self.columns:
            self._hold(column, batch)
        batch = batch.sort_by([(name, "ascending") for name in self.grain])
        self._hold_grain(batch)
        return batch

    def _cast(self, column: Column, values: pa.ChunkedArray) -> pa.ChunkedArray:
        try:
            return values.cast(column.kind)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
            raise ContractError(
                f"{self.name}.{column.name}: cannot be read as {column.kind}: {error}"
            ) from error

    def _hold(self, column: Column, batch: pa.Table) -> None:
        values = batch[column.name]
        if not column.null and values.null_count:
            row = pc.index(pc.is_null(values), pa.scalar(True)).as_py()
            raise ContractError(
                f"{self.name}.{column.name}: must not be missing, is null in row {row} "
                f"({self._row(batch, row)})"
            )
        for rule in column.all_rules:
            if (row := rule.first_break(values)) is not None:
                raise ContractError(
                    f"{self.name}.{column.name}: {rule.says}, is {values[row].as_py()!r} "
                    f"in row {row} ({self._row(batch, row)})"
                )

    def _hold_grain(self, batch: pa.Table) -> None:
        """Raise if two neighbours of the sorted ``batch`` share a grain."""
        if batch.num_rows < 2:
            return
        same = None
        for name in self.grain:
            values = batch[name].combine_chunks()
            equal = pc.equal(values[1:], values[:-1])
            same = equal if same is None else pc.and_(same, equal)
        if (row := pc.index(same, pa.scalar(True)).as_py()) >= 0:
            raise ContractError(
                f"{self.name}: one row per {', '.join(self.grain)}, "
                f"found two ({self._row(batch, row)})"
            )

    def _row(self, batch: pa.Table, row: int) -> str:
        return ", ".join(f"{name}={batch[name][row].as_py()}" for name in self.grain)


def empty(table: Table) -> pa.Table:
    """Return no rows of ``table``, with the columns readers see."""
    return table.promised.empty_table()
