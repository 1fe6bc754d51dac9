"""This module keeps what checks find as ``incidents``, for queries and backtests to see."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.checks.finding import Finding
from warehouse.contracts.incidents import INCIDENTS
from warehouse.known_holes import holes_as_incidents
from warehouse.store import landing
from warehouse.store.lake import Lake
from warehouse.store.landing import Clock
from warehouse.store.ledger import change, parts_of

PART, HOLES = "checks", "known-holes"


def note_findings(
    lake: Lake | Path | str,
    found: Iterable[Finding],
    since: date | None,
    until: date | None,
    names: Sequence[str] | None,
    clock: Clock,
) -> None:
    """Make ``incidents`` tell what a run of checks found, and no longer what it did not.

    Parameters
    ----------
    lake, since, until, names
        What :func:`~warehouse.checks.run.run_checks` was asked.
    found
        What it found.  The rows are in the lake, so the severity is ``warn``.
    clock
        When parts are received; for the ledger only.

    Notes
    -----
    A day is one part, replaced in place: the same findings leave the same bytes, and one that
    has vanished after a backfill is gone.  Facts about the sources that the lake holds are
    landed beside them.
    """
    lake = Lake.at(lake)
    parts = parts_of(lake)
    rows: dict[date, list[dict[str, Any]]] = {
        day: [] for day in _noted_days(parts) if _within(day, since, until)
    }
    for one in found:
        day = one.start_ts.astimezone(UTC).date()
        rows.setdefault(day, []).append(one.as_incident("warn"))
    gone = []
    with landing(lake, clock) as batches:
        for day, some in sorted(rows.items()):
            if names is not None:
                held = batches.held(INCIDENTS, day, PART)
                before = held[0].to_pylist() if held else []
                some += [row for row in before if row["check_name"] not in names]
            if some:
                batches.land(INCIDENTS, pa.Table.from_pylist(some, INCIDENTS.schema), PART)
            else:
                gone.append((INCIDENTS.name, day, PART))
        sources = sorted(set(parts["source"].to_pylist()) - {None})
        if facts := holes_as_incidents(sources):
            batches.land(INCIDENTS, pa.Table.from_pylist(facts, INCIDENTS.schema), HOLES)
    forget(lake, gone)


def forget(lake: Lake, keys: Sequence[tuple[str, date, str]]) -> None:
    """Take parts out of the ledger; who reads them now keeps the files until they are swept."""
    if keys:
        change(lake, keys, lambda _: [])


def _noted_days(parts: pa.Table) -> list[date]:
    mine = pc.and_(pc.equal(parts["table_name"], INCIDENTS.name), pc.equal(parts["part"], PART))
    return pc.unique(parts.filter(mine)["day"]).to_pylist()


def _within(day: date, since: date | None, until: date | None) -> bool:
    """Return whether ``day`` is in ``[since, until)``; None: no bound.

    >>> _within(date(2026, 1, 2), None, date(2026, 1, 2)), _within(date(2026, 1, 2), None, None)
    (False, True)
    """
    return (since is None or day >= since) and (until is None or day < until)
