"""This module says what the data dictionary holds of a relation, a macro and a column."""

from typing import NamedTuple

from warehouse.calls import Parameter

LANDED = "landed"
NEVER = "never"
NONE = "none"


class ColumnEntry(NamedTuple):
    """One column.

    Attributes
    ----------
    name, type
        As DuckDB gives them; a scalar macro has one column, ``value``, without a type.
    unit
        ``none`` of a word, a moment and whatever else is not measured.
    null
        What null means; ``never``: there always is a value.
    says
        In words.
    origin
        ``landed``: of a table, as its source gave it, or as the ledger has it; a formula: of a
        table, from its other columns; ``table.column``, several with commas: passed on, or made
        from these; ``argument name``; ``made here``.
    """

    name: str
    type: str
    unit: str
    null: str
    says: str
    origin: str


class Entry(NamedTuple):
    """One relation or macro.

    Attributes
    ----------
    kind
        ``table``, ``view``, ``table macro`` or ``macro``.
    reads
        Relations and table macros that its text names.
    parameters
        None of a table or view.
    """

    name: str
    kind: str
    purpose: str
    grain: str
    reads: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    columns: tuple[ColumnEntry, ...]
