"""This module says which files a day's levels are made of, and which levels are current.

The name of a part of ``liquidation_levels`` ends in a digest of the paths it was made from.  No
path ever gets other rows, so levels whose digest is that of today's paths say what the rows
say; others are not shown, and maps are then made from the rows.  A compaction renames what it
packs: the nightly run makes levels after it.

What they were made from goes by need, and the name says which it was.  A day of complete
snapshots is made of its own positions; one with a sweep also of what accounts answered in the
days before, and of the contexts that tell a mark: those land every hour.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.contracts.liquidation_levels import LIQUIDATION_LEVELS
from warehouse.store.parts import part_named

# Tables that a map is read from: of complete snapshots, and where sweeps merge.
WHOLE, MERGED = "whole", "merged"
READ = {
    WHOLE: ("positions", "snapshots"),
    MERGED: ("accounts", "asset_contexts", "positions", "snapshots"),
}
# Raised when levels of the same rows are to say something else.
VERSION = 4
# A sweep just after midnight merges answers of 26 hours before.
DAYS_BACK = 2
BACK = {WHOLE: 0, MERGED: DAYS_BACK}


def paths_by_day(held: pa.Table) -> dict[date, list[str]]:
    """Return the paths that maps are read from, by day.

    Parameters
    ----------
    held
        Lines of the ledger: ``table_name``, ``day``, ``path``, ``superseded_ts`` at least.
    """
    read = pc.is_in(held["table_name"], pa.array(READ[MERGED]))
    some = held.filter(pc.and_(read, pc.is_null(held["superseded_ts"])))
    out: dict[date, list[str]] = defaultdict(list)
    for day, path in zip(some["day"].to_pylist(), some["path"].to_pylist(), strict=True):
        out[day].append(path)
    return out


def part_of(paths: Mapping[date, Iterable[str]], day: date, need: str) -> str:
    """Return the name of the part that holds a day's levels, made from ``paths``.

    Parameters
    ----------
    paths
        Of :func:`paths_by_day`.
    day
        UTC.
    need
        ``WHOLE``: no sweep answers on that day; else ``MERGED``.

    >>> day, before = date(2026, 1, 2), date(2025, 12, 31)
    >>> held = {day: ["positions/a"], before: ["positions/b"]}
    >>> part_of(held, day, WHOLE) == part_of({day: ["positions/a", "accounts/c"]}, day, WHOLE)
    True
    >>> part_of(held, day, MERGED) == part_of({day: ["positions/a"]}, day, MERGED)
    False
    """
    read = sorted(
        {
            path
            for each in _days(day, need)
            for path in paths.get(each, ())
            if path.partition("/")[0] in READ[need]
        }
    )
    told = "\n".join((str(VERSION), *read))
    return f"levels-{need}-{hashlib.sha256(told.encode()).hexdigest()[:16]}"


def need_of(part: str) -> str:
    """Return what levels were made from, by the name of their part.

    >>> need_of("levels-whole-0123456789abcdef")
    'whole'
    """
    return WHOLE if part.startswith(f"levels-{WHOLE}-") else MERGED


def _days(day: date, need: str) -> list[date]:
    return [day - timedelta(days=back) for back in range(BACK[need] + 1)]


def current(held: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Return the lines without levels that are not current, and the days of those that are.

    Parameters
    ----------
    held
        As :func:`paths_by_day` takes it, with ``since_ts``.

    Returns
    -------
    held
        The lines to show.
    days
        ``day``, and ``revised``: a file that the levels are made of was ever corrected, so
        that what was knowable cannot be told from them.
    """
    ours = pc.equal(held["table_name"], LIQUIDATION_LEVELS.name)
    lines = held.filter(ours)
    needs: dict[date, str] = {}
    if lines.num_rows:
        paths = paths_by_day(held)
        fresh = []
        for day, path in zip(lines["day"].to_pylist(), lines["path"].to_pylist(), strict=True):
            part = part_named(path)
            fresh.append(part == part_of(paths, day, need_of(part)))
            if fresh[-1]:
                needs[day] = need_of(part)
        held = pa.concat_tables(
            [held.filter(pc.invert(ours)), lines.filter(pa.array(fresh, pa.bool_()))]
        )
    days = sorted(needs)
    corrected = held.filter(
        pc.or_(pc.is_valid(held["since_ts"]), pc.is_valid(held["superseded_ts"]))
    )
    told = set(
        zip(corrected["table_name"].to_pylist(), corrected["day"].to_pylist(), strict=True)
    )
    revised = [
        any(
            (table, each) in told
            for table in READ[needs[day]]
            for each in _days(day, needs[day])
        )
        for day in days
    ]
    return held, pa.table(
        {"day": days, "revised": revised},
        schema=pa.schema([("day", pa.date32()), ("revised", pa.bool_())]),
    )
