"""This module brings the marts up to date: what is of today's files stays, the rest is made."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.catalog import open_lake
from warehouse.contracts.liquidation_levels import LIQUIDATION_LEVELS
from warehouse.marts.levels import levels_of_day, sweeps_of
from warehouse.marts.made_of import MERGED, WHOLE, need_of, part_of, paths_by_day
from warehouse.store.lake import Lake
from warehouse.store.landing import Clock, landing
from warehouse.store.ledger import Part, change, parts_of


@dataclass(slots=True)
class Refreshed:
    """What a refresh did.

    Attributes
    ----------
    days
        Days whose levels were made.
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
        paths = paths_by_day(lines)
        held = _held(lines)
        stale, done.current = days_of(lines, since, until)
        for number, day in enumerate(stale, start=1):
            say(f"levels of {day}, {number} of {len(stale)}")
            positions = [path for path in paths[day] if path.startswith("positions/")]
            rows, left = levels_of_day(con, lake, sorted(set(positions)), day)
            done.left += left
            part = part_of(paths, day, MERGED if sweeps_of(con, day) else WHOLE)
            _forget(lake, day, held.get(day, set()) - {part})
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
    paths, held = paths_by_day(lines), _held(lines)
    days = [
        day
        for day, made in sorted(paths.items())
        if any(path.startswith("snapshots/") for path in made)
        and (since is None or day >= since)
        and (until is None or day < until)
    ]
    stale = [day for day in days if not _is_current(paths, day, held.get(day, set()))]
    return stale, len(days) - len(stale)


def _is_current(paths: dict[date, list[str]], day: date, parts: set[str]) -> bool:
    return len(parts) == 1 and all(part == part_of(paths, day, need_of(part)) for part in parts)


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
