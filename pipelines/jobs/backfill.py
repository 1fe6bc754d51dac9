"""This module says what a backfill does: days of archives, those that are missing."""

from collections.abc import Iterable
from datetime import date, timedelta

from pipelines.jobs.nightly import FIRST
from pipelines.jobs.spending import SourceDay, Spending
from pipelines.jobs.units import Unit
from pipelines.settings import Settings, SettingsError

ORDERS = ("newest", "oldest")


def backfill_stages(settings: Settings, spending: Spending) -> list[list[Unit]]:
    """Return the stages of a backfill: what positions need first, then all else.

    Days of one source do not wait for each other, so that a cluster works on many.
    """
    apart = [
        (source, unit._replace(lane=unit.name)) for source, unit in spending.units(settings)
    ]
    first = [unit for source, unit in apart if source in FIRST]
    rest = [unit for source, unit in apart if source not in FIRST]
    return [stage for stage in (first, rest) if stage]


def check_roots(settings: Settings, sources: Iterable[str]) -> None:
    """Raise if a source has no root.

    Raises
    ------
    SettingsError
        Which one, and which there are.
    """
    for source in sources:
        if source not in settings.roots:
            known = ", ".join(settings.roots) or "none"
            raise SettingsError(f"backfill: {source} has no root; there are {known}")


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
