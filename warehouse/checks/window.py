"""This module shows the checks some parts of a lake, and asks them.

No catalog is built: the checks read tables only, and a landing of a few rows must not wait for
views and macros it has no use for.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.attach import relations
from warehouse.checks.connections import borrowed
from warehouse.checks.definitions import Check
from warehouse.checks.finding import Finding, settled
from warehouse.contracts.tables import TABLES
from warehouse.lost import parted
from warehouse.store.lake import Lake

DAY = timedelta(days=1)
OVERLAPPING = "getvariable('overlapping')"
Span = tuple[str | None, int, int]  # source, first and last instant


@contextmanager
def shown(
    lake: Lake, parts: pa.Table, names: Iterable[str], pattern: Callable[[str], str]
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection with some tables over the given parts.

    Parameters
    ----------
    lake
        Where the parts' files are.
    parts
        Lines of the ledger; those whose files are gone are left out.
    names
        Tables to show, as ``TABLE`` and ``TABLE_versions``.
    pattern
        Path of a part -> what DuckDB opens to read it.
    """
    wanted = set(names)
    with borrowed(pc.sum(parts["rows"]).as_py() or 0) as con:
        lost = lake.connect(con)
        paths = pc.unique(parts["path"]).to_pylist()
        lying = [path for path in paths if pattern(path) == lake.pattern(path)]
        parts, _ = parted(parts, lost(lying))
        for table in TABLES:
            if table.name in wanted:
                held = parts.filter(pc.equal(parts["table_name"], table.name))
                current, versions = relations(pattern, table, held)
                con.execute(f"create or replace view {table.name} as {current}")
                con.execute(f"create or replace view {table.name}_versions as {versions}")
        yield con


def asked(
    con: duckdb.DuckDBPyConnection,
    checks: Sequence[Check],
    since: date,
    until: date,
    overlapping: Callable[[str], Sequence[date]],
) -> list[Finding]:
    """Return what the checks find in ``[since, until)``.

    Parameters
    ----------
    con
        Shows the tables they read, of the days before and after as well.
    checks
        What to ask.
    since, until
        UTC days.
    overlapping
        Table -> days on which two of its parts may hold the same row.
    """
    con.execute(f"set variable since = date '{since}'")
    con.execute(f"set variable until = date '{until}'")
    found: list[Finding] = []
    for check in checks:
        if OVERLAPPING in check.query:
            if not (days := overlapping(check.table)):
                continue
            listed = ", ".join(f"date '{day}'" for day in days)
            con.execute(f"set variable overlapping = [{listed}]::date[]")
        for row in con.sql(check.query).to_arrow_table().to_pylist():
            found.append(Finding(check.name, check.level, check.table, **row))
    return settled(found)


def overlaps(parts: pa.Table) -> Callable[[str], list[date]]:
    """Return the function table -> days on which two parts of a source overlap in time.

    A part of several sources may hold rows of any.
    """
    names = ("table_name", "day", "source", "min_ts", "max_ts")
    ordered = parts.select(names).sort_by([(name, "ascending") for name in ("day", "min_ts")])
    # A day of a tail has thousands of parts: as numbers, its times cost a tenth.
    times = (ordered[name].cast(pa.int64()).to_pylist() for name in names[3:])
    by_table: dict[str, dict[date, list[Span]]] = {}
    columns = (ordered[name].to_pylist() for name in names[:3])
    for table, day, *span in zip(*columns, *times, strict=True):
        by_table.setdefault(table, {}).setdefault(day, []).append(tuple(span))
    return lambda table: [
        day for day, spans in by_table.get(table, {}).items() if _overlap(spans)
    ]


def _overlap(spans: Iterable[Span]) -> bool:
    """Return whether two parts, in order of their start, share an instant and a source.

    >>> _overlap([("a", 1, 2), ("a", 2, 2)]), _overlap([("a", 1, 2), ("b", 1, 2)])
    (True, False)
    """
    ends: dict[str | None, int] = {}
    for source, start, end in spans:
        rivals = ends.values() if source is None else (ends.get(source), ends.get(None))
        if any(other is not None and start <= other for other in rivals):
            return True
        ends[source] = end
    return False


def around(parts: pa.Table, since: date, until: date) -> pa.Table:
    """Return the lines that count today of ``[since, until)`` and of the days beside it."""
    days = parts["day"]
    near = pc.and_(
        pc.greater_equal(days, pa.scalar(since - DAY)), pc.less_equal(days, pa.scalar(until))
    )
    return parts.filter(pc.and_(near, pc.is_null(parts["superseded_ts"])))
