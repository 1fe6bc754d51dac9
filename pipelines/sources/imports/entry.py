"""This module says what one entry of a mapping is: where a column of a table comes from."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pyarrow as pa

from warehouse.contracts.table import TS, Column

UNITS = ("s", "ms", "us", "ns", "iso")

# Kind of the target and source of its values -> options beside the source.
OPTIONS: dict[tuple[str, str], tuple[str, ...]] = {
    ("number", "column"): (
        "scale",
        "absolute",
        "negative_where",
        "positive_or_missing",
        "optional",
    ),
    ("number", "only_of"): ("scale", "absolute", "positive_or_missing", "optional"),
    ("number", "value"): (),
    ("integer", "column"): ("optional",),
    ("integer", "value"): (),
    ("text", "column"): ("words", "dex", "optional"),
    ("text", "which_of"): ("optional",),
    ("text", "value"): (),
    ("truth", "column"): ("words", "optional"),
    ("truth", "value"): (),
    ("time", "column"): ("unit", "zone", "optional"),
    ("time", "given"): (),
    ("time", "delay"): ("after",),
    ("time", "value"): (),
}


@dataclass(frozen=True, slots=True)
class Signs:
    """The words of a column that make a number negative, and those that do not."""

    column: str
    negative: tuple[str, ...]
    positive: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dex:
    """The column that names a coin's perp dex, and its words for the venue's own."""

    column: str
    main: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """Where one column of a table comes from.

    Attributes
    ----------
    target
        The column.
    kind
        ``number``, ``integer``, ``text``, ``truth`` or ``time``.
    columns
        Columns of the file that hold its values: none for a constant, several where only one
        of them holds a value.
    names
        Of each of ``columns``, the word that stands for it; empty where its value is taken.
    value
        The constant.
    given, after, delay
        The moment is the caller's; or it is another column's, and so much later.
    """

    target: Column
    kind: str
    columns: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    value: Any = None
    given: bool = False
    after: str = ""
    delay: timedelta = timedelta(0)
    scale: float = 1.0
    absolute: bool = False
    negative_where: Signs | None = None
    positive_or_missing: bool = False
    optional: bool = False
    unit: str = ""
    zone: str = ""
    words: dict[str, str | bool] | None = None
    dex: Dex | None = None

    @property
    def reads(self) -> tuple[str, ...]:
        """Return the columns of the file that it needs."""
        also = [beside.column for beside in (self.negative_where, self.dex) if beside]
        return (*self.columns, *also)


def kind_of(target: Column) -> str:
    """Return what an entry for ``target`` is: number, integer, text, truth or time."""
    if target.kind == TS:
        return "time"
    if pa.types.is_floating(target.kind):
        return "number"
    if pa.types.is_integer(target.kind):
        return "integer"
    return "truth" if pa.types.is_boolean(target.kind) else "text"
