"""This module plans a backfill: which days of which archives, and what reading them costs."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from pipelines.jobs.archives import ROADS
from pipelines.jobs.backfill import SourceDay, days_between, in_order
from pipelines.settings import Settings, SettingsError
from pipelines.steps.cost import Plan, TooDear, dollars
from warehouse.health.complete import complete_days
from warehouse.health.gaps import gaps_to_fill
from warehouse.store import Lake


class Planned(NamedTuple):
    """What a backfill would do: its days in order, and what each source's reading comes to."""

    days: list[SourceDay]
    plans: dict[str, Plan]

    def lines(self) -> Iterator[str]:
        """Yield what is planned, a line a source."""
        for source, plan in self.plans.items():
            count = sum(one == source for one, _ in self.days)
            yield f"{source}: {count} days; {plan}"

    def allow(self, max_usd: float) -> None:
        """Raise if reading all of it would cost more."""
        usd = sum(plan.usd for plan in self.plans.values())
        if usd > max_usd:
            raise TooDear(
                f"the backfill would cost about {dollars(usd)}, more than {dollars(max_usd)}: "
                f"allow it with --max-usd {int(usd) + 1}, or ask for fewer days"
            )

    def asked(self) -> dict[str, Any]:
        """Return what the job is asked for, as JSON holds it."""
        return {"days": [[source, str(day)] for source, day in self.days]}


def plan_backfill(
    settings: Settings,
    since: date | None,
    until: date | None,
    *,
    gaps: bool,
    sources: Sequence[str],
    order: str,
    now: datetime,
    again: bool = False,
) -> Planned:
    """Return the days that are missing of the sources that have a root.

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
    for source in wanted:
        if source not in settings.roots:
            known = ", ".join(settings.roots) or "none"
            raise SettingsError(f"--source {source}: has no root; there are {known}")
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
    return _priced(settings, in_order(days, order))


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


def _priced(settings: Settings, days: Iterable[SourceDay]) -> Planned:
    """Return the days with what reading them costs.

    A day without files is asked for all the same: that it is missing is then known.
    """
    days = list(days)
    plans: dict[str, Plan] = {}
    for source in dict.fromkeys(source for source, _ in days):
        asked = [day for one, day in days if one == source]
        ends = min(asked), date.fromordinal(max(asked).toordinal() + 1)
        pull = ROADS[source].pull(settings.roots[source], *ends)
        left = [day for day in pull.left(settings.lake) if day in asked or not pull.daily]
        plans[source] = pull.plan(left)
    return Planned(days, plans)
