"""This module checks what is in the lake."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.checks.definitions import chosen
from warehouse.checks.finding import Finding, settled
from warehouse.checks.window import DAY, around, asked, overlaps, shown
from warehouse.store.lake import Lake, NoLake
from warehouse.store.ledger import parts_of

Progress = Callable[[str, int, int], None]

# Days are checked together until they have this many rows: what is grouped then fits in memory,
# and days with few rows do not each pay for a connection.
ROWS_AT_ONCE = 5_000_000
DAYS_AT_ONCE = 31


def run_checks(
    lake: Lake | Path | str,
    since: date | None = None,
    until: date | None = None,
    names: Iterable[str] | None = None,
    progress: Progress | None = None,
) -> list[Finding]:
    """Return what the checks find on the days of ``[since, until)``, in order of time.

    Parameters
    ----------
    lake
        Folder or URL of the lake.
    since, until
        UTC days; all there are without them.
    names
        Checks to run; all without.
    progress
        Called with the day, how many days are done, and of how many.

    Raises
    ------
    NoLake
        If there is none.
    ValueError
        If there is no check of a name, or ``since`` is not before ``until``.

    Notes
    -----
    A window that crosses midnight is found on the day it starts on, which takes the rows of the
    day after: who checks a day as soon as it is over checks it once more a day later.
    """
    if since and until and since >= until:
        raise ValueError(f"since {since} must be before until {until}, which is exclusive")
    lake = Lake.at(lake)
    if not lake.exists():
        raise NoLake(f"no lake at {lake}: `undertow ingest` or `undertow demo` makes one")
    wanted = chosen(names)
    read = {table for check in wanted for table in check.reads}
    parts = parts_of(lake)
    parts = parts.filter(
        pc.and_(
            pc.is_in(parts["table_name"], pa.array(sorted(read), pa.string())),
            pc.is_null(parts["superseded_ts"]),
        )
    )
    windows = list(_windows(parts, since, until))
    found: list[Finding] = []
    for number, (low, high) in enumerate(windows):
        if progress:
            progress(f"{low}", number, len(windows))
        near = around(parts, low, high)
        there = set(near["table_name"].to_pylist())
        some = [check for check in wanted if check.table in there]
        with shown(lake, near, read, lake.pattern) as con:
            found += asked(con, some, low, high, overlaps(near))
    if progress:
        progress("checked", len(windows), len(windows))
    return settled(found)


def _windows(
    parts: pa.Table, since: date | None, until: date | None
) -> Iterator[tuple[date, date]]:
    """Yield spans of days without a gap between them, each with few enough days and rows."""
    by_day = parts.group_by("day").aggregate([("rows", "sum")])
    rows = dict(zip(by_day["day"].to_pylist(), by_day["rows_sum"].to_pylist(), strict=True))
    days = sorted(
        day for day in rows if (not since or day >= since) and (not until or day < until)
    )
    if not days:
        if since and until:
            yield since, until  # what lies on both sides tells of a hole between
        return
    low, held = since or days[0], 0
    for before, day in pairwise(days):
        held += rows[before]
        if held + rows[day] > ROWS_AT_ONCE or (day - low).days >= DAYS_AT_ONCE:
            yield low, day
            low, held = day, 0
    yield low, until or days[-1] + DAY
