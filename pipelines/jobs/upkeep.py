"""This module keeps the lake in order after a night, and its maps binned through the day.

Prices are held against ours, days become one file a table, maps are binned ahead from those
files (:mod:`warehouse.marts.made_of`: a compaction renames them), and what is there is checked.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from pipelines.jobs.telling import tell
from pipelines.landed import Landed
from pipelines.settings import Settings
from pipelines.steps.margin_errors import land_margin_errors
from warehouse.checks import note_findings, run_checks
from warehouse.contracts.ledger import PARTS
from warehouse.contracts.tables import INCIDENTS, LIQUIDATION_LEVELS
from warehouse.marts.made_of import DAYS_BACK
from warehouse.marts.refresh import refresh
from warehouse.store import Lake
from warehouse.store.compaction import compact

DAY = timedelta(days=1)
STOPS = "must not be: "  # begins what is said of rows that would not have been landed


def _wall() -> datetime:
    return datetime.now(UTC)


def hold_prices(settings: Settings, days: Sequence[date]) -> list[Landed]:
    """Hold the liquidation prices of closed days against ours, and land the errors."""
    return land_margin_errors(settings.lake, days, _wall)


def check_days(settings: Settings, days: Sequence[date]) -> list[Landed]:
    """Check closed days, each with the one before; what is found lands as incidents.

    A window that crosses midnight is found on the day it starts on, when the next is there.
    """
    lake = Lake.at(settings.lake)
    landed = Landed(INCIDENTS.name)
    if not lake.exists():
        return [landed]
    for since, until in spans_of(days):
        found = run_checks(lake, since, until)
        note_findings(lake, found, since, until, None, _wall)
        said = [f"{STOPS if one.stops else ''}{one}" for one in found]
        landed.add(Landed(INCIDENTS.name, rows=len(found), notes=said))
    return [landed]


def compact_days(settings: Settings, days: Sequence[date]) -> list[Landed]:
    """Compact closed days, each with the one before: what came late for it lies beside it."""
    lake = Lake.at(settings.lake)
    landed = Landed(PARTS.name)
    if not lake.exists():
        return [landed]
    grace = timedelta(seconds=settings.run.grace)
    for since, until in spans_of(days):
        done = compact(lake, _wall(), since, until, grace=grace)
        landed.rows += done.parts
        landed.notes += [f"compaction: {one}" for one in done.damaged]
    return [landed]


def bin_days(settings: Settings, days: Sequence[date]) -> list[Landed]:
    """Bin ahead the maps of the days that a night may have changed, those that are stale.

    A day is of files of the days before it too.
    """
    end = max(days) + DAY
    later = {day + n * DAY for day in days for n in range(DAYS_BACK + 1)}
    return _bin(settings, spans_of([day for day in later if day < end]))


def bin_open_day(settings: Settings, day: date) -> list[Landed]:
    """Bin ahead the maps that have come to a day that goes on."""
    return _bin(settings, [(day, day + DAY)])


def _bin(settings: Settings, spans: Sequence[tuple[date, date]]) -> list[Landed]:
    lake = Lake.at(settings.lake)
    landed = Landed(LIQUIDATION_LEVELS.name)
    if not lake.exists():
        return [landed]
    for since, until in spans:
        done = refresh(lake, since, until, tell, _wall)
        landed.rows += done.rows
        landed.notes += done.left
    return [landed]


def spans_of(days: Sequence[date]) -> list[tuple[date, date]]:
    """Return the spans of days that cover each day and the one before it.

    >>> [(str(low), str(high)) for low, high in spans_of([date(2026, 1, 2), date(2026, 1, 9)])]
    [('2026-01-01', '2026-01-03'), ('2026-01-08', '2026-01-10')]
    """
    spans: list[tuple[date, date]] = []
    for day in sorted(days):
        if spans and day - DAY <= spans[-1][1]:
            spans[-1] = spans[-1][0], day + DAY
        else:
            spans.append((day - DAY, day + DAY))
    return spans
