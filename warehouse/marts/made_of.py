"""This module says which files a day's levels are made of, and which levels are current.

The name of a part of ``liquidation_levels`` ends in a digest of the paths it was made from.  No
path ever gets other rows, so levels whose digest is that of today's paths say what the rows
say; others are not shown, and maps are then made from the rows.  A compaction renames what it
packs: the nightly run makes levels after it.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.contracts.liquidation_levels import LIQUIDATION_LEVELS
from warehouse.store.parts import part_named

# Tables that a map is read from.
READ = ("accounts", "asset_contexts", "positions", "snapshots")
# Raised when levels of the same rows are to say something else.
VERSION = 3
# A sweep just after midnight merges answers of 26 hours before.
DAYS_BACK = 2


def paths_by_day(held: pa.Table) -> dict[date, list[str]]:
    """Return the paths that maps are read from, by day.

    Parameters
    ----------
    held
        Lines of the ledger: ``table_name``, ``day``, ``path``, ``superseded_ts`` at least.
    """
    read = pc.is_in(held["table_name"], pa.array(READ))
    some = held.filter(pc.and_(read, pc.is_null(held["superseded_ts"])))
    out: dict[date, list[str]] = defaultdict(list)
    for day, path in zip(some["day"].to_pylist(), some["path"].to_pylist(), strict=True):
        out[day].append(path)
    return out


def part_of(paths: Mapping[date, Iterable[str]], day: date) -> str:
    """Return the name of the part that holds a day's levels, made from ``paths``.

    >>> one = part_of({date(2026, 1, 2): ["a"]}, date(2026, 1, 2))
    >>> one == part_of({date(2026, 1, 2): ["a"], date(2025, 12, 30): ["b"]}, date(2026, 1, 2))
    True
    >>> one == part_of({date(2026, 1, 2): ["a"], date(2025, 12, 31): ["b"]}, date(2026, 1, 2))
    False
    """
    days = (day - timedelta(days=back) for back in range(DAYS_BACK + 1))
    read = sorted({path for each in days for path in paths.get(each, ())})
    told = "\n".join((str(VERSION), *read))
    return f"levels-{hashlib.sha256(told.encode()).hexdigest()[:16]}"


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
    days: list[date] = []
    if lines.num_rows:
        paths = paths_by_day(held)
        names = {day: part_of(paths, day) for day in set(lines["day"].to_pylist())}
        fresh = [
            part_named(path) == names[day]
            for day, path in zip(
                lines["day"].to_pylist(), lines["path"].to_pylist(), strict=True
            )
        ]
        lines = lines.filter(pa.array(fresh, pa.bool_()))
        days = sorted(set(lines["day"].to_pylist()))
        held = pa.concat_tables([held.filter(pc.invert(ours)), lines])
    corrected = pc.or_(pc.is_valid(held["since_ts"]), pc.is_valid(held["superseded_ts"]))
    read = pc.and_(pc.is_in(held["table_name"], pa.array(READ)), corrected)
    revised = set(held.filter(read)["day"].to_pylist())
    back = [timedelta(days=count) for count in range(DAYS_BACK + 1)]
    return held, pa.table(
        {
            "day": pa.array(days, pa.date32()),
            "revised": pa.array([any(day - each in revised for each in back) for day in days]),
        },
        schema=pa.schema([("day", pa.date32()), ("revised", pa.bool_())]),
    )
