"""This module brings the marts up to date: what is of today's files stays, the rest is made.

Of a day that goes on, only the snapshots that have come since are binned, as one more piece.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.catalog import open_lake
from warehouse.contracts.liquidation_levels import LIQUIDATION_LEVELS
from warehouse.contracts.tables import SNAPSHOTS
from warehouse.marts.levels import levels_between, sweeps_of
from warehouse.marts.made_of import (
    MERGED,
    US,
    WHOLE,
    File,
    Piece,
    files_by_day,
    moment_of,
    part_of,
    standing,
)
from warehouse.store.lake import Lake
from warehouse.store.landing import Clock, landing
from warehouse.store.ledger import Part, change, parts_of


@dataclass(slots=True)
class Refreshed:
    """What a refresh did.

    Attributes
    ----------
    days
        Days whose levels were made, or gone on with.
    current
        How many others were up to date.
    rows
        Of ``liquidation_levels`` that were made.
    left
        Coins of days that are left out, one sentence each.
    """

    days: list[date] = field(default_factory=list)
    current: int = 0
    rows: int = 0
    left: list[str] = field(default_factory=list)


def _wall() -> datetime:
    return datetime.now(UTC)


def refresh(
    where: Lake | Path | str,
    since: date | None = None,
    until: date | None = None,
    say: Callable[[str], None] = lambda _: None,
    clock: Clock = _wall,
) -> Refreshed:
    """Make the levels of the days in ``[since, until)`` that are not up to date.

    Each day counts as it is made: a refresh that is stopped goes on where it was.

    Parameters
    ----------
    where
        The lake.
    since, until
        UTC days; every day with snapshots without them.
    say
        Hears of each day before it is made.
    clock
        When parts are received; for the ledger only.

    Raises
    ------
    NoLake
        If there is no lake.
    """
    lake = Lake.at(where)
    done = Refreshed()
    # Before the rows: what lands between is then of no name here, and the next run's to make.
    lines = parts_of(lake)
    with open_lake(lake) as con:
        files, held, ends = files_by_day(lines), _held(lines), _ends(lines)
        stale, done.current = days_of(lines, since, until)
        for number, day in enumerate(stale, start=1):
            say(f"levels of {day}, {number} of {len(stale)}")
            stand = standing(files, day, held.get(day, ()))
            start = max((one.until for one in stand.values()), default=0)
            end = ends[day]
            if start >= end:  # parts that do not stand lie beside others that say it all
                _forget(lake, day, held[day] - stand.keys())
                done.current += 1
                continue
            span = moment_of(day, start), moment_of(day, end)
            rows, left = levels_between(con, lake, _positions(files[day], *span), *span)
            done.left += left
            need = MERGED if sweeps_of(con, *span) else WHOLE
            part = part_of(files, day, Piece(need, start, end))
            _forget(lake, day, held.get(day, set()) - stand.keys() - {part})
            with landing(lake, clock) as batches:
                if rows.num_rows:
                    batches.land(LIQUIDATION_LEVELS, rows, part)
                else:
                    batches.land_nothing(LIQUIDATION_LEVELS, day, part)
            done.days.append(day)
            done.rows += rows.num_rows
    return done


def days_of(
    lines: pa.Table, since: date | None = None, until: date | None = None
) -> tuple[list[date], int]:
    """Return the days whose levels are to be made, and how many others are current.

    Parameters
    ----------
    lines
        Of the ledger, as ``parts_of`` gives them.
    since, until
        As in :func:`refresh`.
    """
    files, held, ends = files_by_day(lines), _held(lines), _ends(lines)
    days = [
        day
        for day in sorted(ends)
        if (since is None or day >= since) and (until is None or day < until)
    ]
    stale = [
        day for day in days if not _is_current(files, day, held.get(day, set()), ends[day])
    ]
    return stale, len(days) - len(stale)


def _is_current(files: dict[date, list[File]], day: date, parts: set[str], end: int) -> bool:
    stand = standing(files, day, parts)
    return stand.keys() == parts and any(one.until >= end for one in stand.values())


def _ends(lines: pa.Table) -> dict[date, int]:
    """Return when the last snapshot of each day is over, µs of the day."""
    ours = pc.equal(lines["table_name"], SNAPSHOTS.name)
    some = lines.filter(pc.and_(ours, pc.is_null(lines["superseded_ts"])))
    last = some.group_by("day").aggregate([("max_ts", "max")])
    days = zip(last["day"].to_pylist(), last["max_ts_max"].to_pylist(), strict=True)
    return {day: (moment - moment_of(day, 0)) // US + 1 for day, moment in days}


def _positions(files: list[File], since: datetime, until: datetime) -> list[str]:
    """Return the paths of positions of a span."""
    return sorted(
        one.path
        for one in files
        if one.table == "positions" and one.first < until and one.last >= since
    )


def _held(lines: pa.Table) -> dict[date, set[str]]:
    """Return the parts of levels that the lake holds, by day."""
    ours = lines.filter(pc.equal(lines["table_name"], LIQUIDATION_LEVELS.name))
    held: dict[date, set[str]] = {}
    for day, part in zip(ours["day"].to_pylist(), ours["part"].to_pylist(), strict=True):
        held.setdefault(day, set()).add(part)
    return held


def _forget(lake: Lake, day: date, parts: set[str]) -> None:
    """Strike parts that are of files which do not count any more; `compact` removes them."""

    def struck(_: list[Part]) -> list[Part]:
        return []

    if parts:
        change(lake, [(LIQUIDATION_LEVELS.name, day, part) for part in sorted(parts)], struck)
