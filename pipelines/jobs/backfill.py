"""This module says what a backfill does: days of archives, those that are missing."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from pipelines.jobs.archives import archive_unit
from pipelines.jobs.nightly import FIRST, SourceDay
from pipelines.jobs.units import Unit
from pipelines.settings import Settings, SettingsError

ORDERS = ("newest", "oldest")


def backfill_stages(settings: Settings, days: Sequence[SourceDay]) -> list[list[Unit]]:
    """Return the stages of a backfill: what positions need first, then all else.

    Days of one source do not wait for each other, so that a cluster works on many.

    Raises
    ------
    SettingsError
        If a source has no root.
    """
    for source, _ in days:
        if source not in settings.roots:
            known = ", ".join(settings.roots) or "none"
            raise SettingsError(f"backfill: {source} has no root; there are {known}")
    units = [archive_unit(settings, source, day) for source, day in days]
    apart = [unit._replace(lane=unit.name) for unit in units]
    first = [unit for unit, (source, _) in zip(apart, days, strict=True) if source in FIRST]
    rest = [unit for unit in apart if unit not in first]
    return [stage for stage in (first, rest) if stage]


def days_between(
    sources: Iterable[str], since: date, until: date, order: str = "newest"
) -> list[SourceDay]:
    """Return every day of every source in ``[since, until)``, in order.

    >>> days_between(["a"], date(2026, 1, 1), date(2026, 1, 3))
    [('a', datetime.date(2026, 1, 2)), ('a', datetime.date(2026, 1, 1))]
    """
    days = [since + timedelta(days=number) for number in range((until - since).days)]
    return [(source, day) for day in _ordered(days, order) for source in sources]


def in_order(days: Iterable[SourceDay], order: str) -> list[SourceDay]:
    """Return the days newest first or oldest first; sources of a day keep their order."""
    held: dict[date, list[SourceDay]] = {}
    for one in days:
        held.setdefault(one[1], []).append(one)
    return [one for day in _ordered(held, order) for one in held[day]]


def _ordered(days: Iterable[date], order: str) -> list[date]:
    if order not in ORDERS:
        raise ValueError(f"order {order}: must be one of {', '.join(ORDERS)}")
    return sorted(days, reverse=order == "newest")
