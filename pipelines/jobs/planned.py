"""This module finds which days of which archives are missing and may be had."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from pipelines.jobs.backfill import check_roots, days_between, in_order
from pipelines.jobs.spending import SourceDay
from pipelines.settings import Settings
from warehouse.health.complete import complete_days
from warehouse.health.gaps import gaps_to_fill
from warehouse.store import Lake


def days_to_fill(
    settings: Settings,
    since: date | None,
    until: date | None,
    *,
    gaps: bool,
    sources: Sequence[str],
    order: str,
    now: datetime,
    again: bool = False,
) -> list[SourceDay]:
    """Return the days that are missing of the sources that have a root, in order.

    Parameters
    ----------
    settings
        Roots and lake.
    since, until
        UTC days; of gaps, all without them.
    gaps
        Only what the ledger says is missing and may be had; else every day that the lake does
        not hold whole.
    sources
        Only these; all that have a root without.
    order
        ``newest`` or ``oldest`` first.
    now
        The present; what is not published yet is not missing.
    again
        Days too that the lake holds whole.

    Raises
    ------
    SettingsError
        If a source has no root.
    """
    wanted = list(sources) or list(settings.roots)
    check_roots(settings, wanted)
    if gaps:
        days = [
            one
            for one in _missing(settings, wanted, now)
            if (since is None or one[1] >= since) and (until is None or one[1] < until)
        ]
    elif since is not None and until is not None:
        days = days_between(wanted, since, until, order)
        if not again:
            whole = _whole(settings, wanted)
            days = [one for one in days if one not in whole]
    else:
        raise ValueError("a backfill without gaps needs its first day and its end")
    return in_order(days, order)


def missing_days(settings: Settings, until: date, now: datetime) -> list[SourceDay]:
    """Return what a night before ``until`` should have landed and may have now, oldest first.

    An archive that publishes late, a night that failed and one that never ran are the same.
    """
    since = until - timedelta(days=settings.run.catch_up_days)
    found = _missing(settings, list(settings.roots), now)
    return in_order([one for one in found if since <= one[1] < until], "oldest")


def _whole(settings: Settings, sources: Sequence[str]) -> set[SourceDay]:
    lake = Lake.at(settings.lake)
    if not lake.exists():
        return set()
    return {(source, day) for source in sources for day in complete_days(lake, source)}


def _missing(settings: Settings, sources: Sequence[str], now: datetime) -> list[SourceDay]:
    lake = Lake.at(settings.lake)
    if not lake.exists():
        return []
    found = [(one.source, one.day) for one in gaps_to_fill(lake, now)]
    return [one for one in dict.fromkeys(found) if one[0] in sources]
