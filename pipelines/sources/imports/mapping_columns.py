"""This module reads the entries of a mapping: which columns of its table come from where."""

import pyarrow as pa

from pipelines.sources.imports.entry import Entry
from pipelines.sources.imports.entry_keys import to_entry
from pipelines.sources.imports.keys import Keys, MappingError, named, nearest
from warehouse.contracts.columns import SOURCE
from warehouse.contracts.rules import NOT_NEGATIVE
from warehouse.contracts.table import Column, Table

# Columns that may be left out where the other one is there.
EITHER = {"positions": ("mark_px", "notional")}


def targets_of(table: Table) -> dict[str, Column]:
    """Return what a mapping may fill: the columns of the file but ``source``, and the derived.

    A derived column is not kept; what the file says of it is held against the others.
    """
    derived = [
        Column(one.name, one.kind, one.doc, one.unit, rules=(NOT_NEGATIVE,))
        for one in table.derived
    ]
    return {one.name: one for one in (*table.columns, *derived) if one.name != SOURCE.name}


def to_entries(keys: Keys, table: Table, *, is_text: bool) -> dict[str, Entry]:
    """Return where each column of ``table`` comes from; those that may be null may be absent.

    Parameters
    ----------
    keys
        The whole mapping.
    table
        Contract the rows are for.
    is_text
        The mapped file is CSV.

    Raises
    ------
    MappingError
        If an entry does not fit, or one is missing.
    """
    columns = Keys(keys.value.get("columns"), keys.file, "columns")
    targets = targets_of(table)
    if SOURCE.name in columns.value:
        raise MappingError(f"{keys.file}: key columns.source must be left out: source says it")
    columns.only(targets, f"no column of {table.name}")
    entries = {
        name: to_entry(value, targets[name], keys.file, is_text=is_text)
        for name, value in columns.value.items()
    }
    either = EITHER.get(table.name, ())
    for name, target in targets.items():
        if not target.null and name not in entries and name not in either:
            raise MappingError(f"{keys.file}: key columns.{name} is missing")
    if either and not entries.keys() & set(either):
        both = " or ".join(f"columns.{name}" for name in either)
        raise MappingError(f"{keys.file}: key {both} is missing")
    for name, entry in entries.items():
        known = [at for at, of in entries.items() if of.kind == "time" and not of.after]
        if entry.after and entry.after not in known:
            raise MappingError(
                f"{keys.file}: key columns.{name}.after must be one of {', '.join(known)}, is "
                f"{named(entry.after)}{nearest(entry.after, known)}"
            )
    _hold_constants(keys.file, entries)
    return entries


def _hold_constants(file: str, entries: dict[str, Entry]) -> None:
    """Raise if a constant breaks a rule of its column; no row is needed to see it."""
    for name, entry in entries.items():
        if entry.value is None:
            continue
        values = pa.array([entry.value], entry.target.kind)
        for rule in entry.target.all_rules:
            if rule.first_break(values) is not None:
                found = named(str(entry.value))
                raise MappingError(f"{file}: key columns.{name}.value {rule.says}, is {found}")
