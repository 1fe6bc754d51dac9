"""This module says what each column of a view or macro is, by its header, and where it is from.

Nothing is guessed: a column of which a header says nothing is an error, and so is one that it
tells of and does not give, a unit that its source does not have, and a place that there is not.
"""

from collections.abc import Iterable, Mapping

from warehouse.dictionary_entries import ColumnEntry, Entry
from warehouse.headers import HERE, Alike, Header, HeaderError, Said

ARGUMENT = "argument "


def explained(
    tables: Iterable[Entry], made: Mapping[str, tuple[Entry, Header]]
) -> dict[str, Entry]:
    """Return every entry by name, its columns with unit, meaning, null and origin.

    Parameters
    ----------
    tables
        Entries whose columns are explained.
    made
        Views and macros, whose columns have a name and a type, and what their headers say.

    Raises
    ------
    HeaderError
        If a header leaves out a column, or says of one what cannot be.
    """
    known = {entry.name: entry for entry in tables}
    for name in made:
        _explain(name, made, known)
    for name in made:
        _hold_places(known[name], known)
    return known


def _explain(
    name: str, made: Mapping[str, tuple[Entry, Header]], known: dict[str, Entry]
) -> Entry | None:
    if name in known or name not in made:
        return known.get(name)
    entry, said = made[name]
    told: dict[str, ColumnEntry] = {}
    typed = {column.name: column for column in entry.columns}
    for one in said.columns:
        _tell(told, _own(entry, typed, one), name)
    for other in said.alike:
        if other.is_passed_on and other.relation not in said.reads:
            raise HeaderError(f"{name}.sql: from {other.relation}, which it does not read")
        source = _explain(other.relation, made, known)
        for column in _others(entry, typed, other, source):
            _tell(told, column, name)
    if missing := [column for column in typed if column not in told]:
        raise HeaderError(f"{name}.sql: nothing is said of {', '.join(missing)}")
    known[name] = entry._replace(columns=tuple(told[column] for column in typed))
    return known[name]


def _tell(told: dict[str, ColumnEntry], column: ColumnEntry, name: str) -> None:
    if column.name in told:
        raise HeaderError(f"{name}.sql: {column.name} is told twice")
    told[column.name] = column


def _own(entry: Entry, typed: Mapping[str, ColumnEntry], said: Said) -> ColumnEntry:
    """Return a column as its own line says it."""
    if said.name not in typed:
        raise HeaderError(f"{entry.name}.sql: tells of {said.name}, which it does not give")
    return typed[said.name]._replace(
        unit=said.unit, null=said.null, says=said.says, origin=said.origin
    )


def _others(
    entry: Entry, typed: Mapping[str, ColumnEntry], alike: Alike, source: Entry | None
) -> Iterable[ColumnEntry]:
    """Yield the columns that are another relation's."""
    if source is None:
        raise HeaderError(f"{entry.name}.sql: there is no {alike.relation}")
    theirs = {column.name: column for column in source.columns}
    for name in alike.columns:
        if name not in typed or name not in theirs or typed[name].type != theirs[name].type:
            raise HeaderError(
                f"{entry.name}.sql: {name} is no column of {alike.relation}, or of it"
            )
        origin = theirs[name].origin
        if source.kind == "table" or (alike.is_passed_on and origin == HERE):
            origin = f"{source.name}.{name}"
        yield theirs[name]._replace(origin=origin)


def _hold_places(entry: Entry, known: Mapping[str, Entry]) -> None:
    """Raise if a column comes from where nothing is."""
    places = {f"{one.name}.{column.name}" for one in known.values() for column in one.columns}
    given = {f"{ARGUMENT}{one.name}" for one in entry.parameters}
    for column in entry.columns:
        for origin in column.origin.split(", "):
            if origin not in {HERE, *given, *places}:
                raise HeaderError(
                    f"{entry.name}.sql: {column.name} is from {origin}, and there is none"
                )
