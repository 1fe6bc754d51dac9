"""This module holds what a whole run may spend on archives that cost money to read.

What each day of each archive costs is listed before anything is read.  Days get their turn in
order, as long as the sum stays within what is allowed; the others are refused, and said.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from functools import partial
from itertools import groupby
from typing import NamedTuple

from pipelines.jobs.archives import ROADS, archive_unit
from pipelines.jobs.units import Unit
from pipelines.landed import Landed
from pipelines.settings import Settings
from pipelines.sources.errors import SourceError
from pipelines.steps.cost import Plan, TooDear, dollars

DAY = timedelta(days=1)
NOTHING = Plan(0, 0, 0, paid=False)
SourceDay = tuple[str, date]


class PricedDay(NamedTuple):
    """A day of an archive, and what reading it comes to; no plan: it could not be listed."""

    source: str
    day: date
    plan: Plan | None

    @property
    def usd(self) -> float:
        """Return the estimate; 0 of what could not be listed."""
        return self.plan.usd if self.plan else 0.0


class Spending(NamedTuple):
    """What a run reads, and for how much.

    Attributes
    ----------
    days
        What is wanted, in the order in which it is landed.
    allowed
        What each of them may cost, at most; None: the run cannot afford it.
    max_usd
        What all of them may cost: the sum of ``allowed`` is never more.
    """

    days: Sequence[PricedDay]
    allowed: Sequence[float | None]
    max_usd: float

    def units(self, settings: Settings) -> Iterator[tuple[str, Unit]]:
        """Yield each source with the unit that lands a day of it, or refuses to."""
        for one, usd in zip(self.days, self.allowed, strict=True):
            if usd is None:
                dear = partial(refuse, one.usd, self.max_usd)
                yield one.source, Unit(f"{one.source} {one.day}", dear, one.source)
            else:
                yield one.source, archive_unit(settings, one.source, one.day, usd)

    def lines(self) -> Iterator[str]:
        """Yield what is read of each source that costs money or has files, a line each."""
        for source in dict.fromkeys(one.source for one in self.days):
            plans = [one.plan for one in self.days if one.source == source and one.plan]
            if plans and (plan := summed(plans)) != NOTHING:
                yield f"{source}: {len(plans)} days; {plan}"

    def allow(self) -> None:
        """Raise if the run cannot afford all of it.

        Raises
        ------
        TooDear
            Then nothing has been read.
        """
        usd = sum(one.usd for one in self.days)
        if usd > self.max_usd:
            raise TooDear(
                f"the backfill would cost about {dollars(usd)}, more than "
                f"{dollars(self.max_usd)}: allow it with --max-usd {int(usd) + 1}, or ask for "
                "fewer days"
            )


def spending(
    days: Sequence[PricedDay], max_usd: float, first: Iterable[SourceDay] = ()
) -> Spending:
    """Return what a run may spend on each day.

    Parameters
    ----------
    days
        What is wanted, in the order in which it is landed.
    max_usd
        What all of them may cost.
    first
        Which of them have the first right to the money.

    Examples
    --------
    >>> ten = Plan(1, 10**11, 0, paid=True)  # $9.00
    >>> noon = date(2026, 1, 2)
    >>> made = spending([PricedDay(name, noon, ten) for name in "abc"], 20, [("c", noon)])
    >>> [one and round(one, 2) for one in made.allowed]
    [10.0, None, 10.0]
    """
    urgent = set(first)
    left, kept = max_usd, set()
    for one in sorted(days, key=lambda one: (one.source, one.day) not in urgent):
        if one.usd <= left:
            left -= one.usd
            kept.add((one.source, one.day))
    # What is left over is for files that come before their day is read.
    share = max(left, 0.0) / max(len(kept), 1)
    allowed = [one.usd + share if (one.source, one.day) in kept else None for one in days]
    return Spending(days, allowed, max_usd)


def priced(
    settings: Settings, days: Iterable[SourceDay], folders: bool = False
) -> list[PricedDay]:
    """Return days with what reading them comes to; their order stays.

    Parameters
    ----------
    settings
        Roots and lake.
    days
        What is wanted.
    folders
        Whether folders, which cost nothing, are listed as well.
    """
    days = list(days)
    plans: dict[SourceDay, Plan | None] = {}
    for source in dict.fromkeys(source for source, _ in days):
        wanted = sorted({day for one, day in days if one == source})
        if not (folders or settings.roots[source].startswith("s3://")):
            plans |= dict.fromkeys([(source, day) for day in wanted], NOTHING)
            continue
        for some in _runs(wanted):
            plans |= _listed(settings, source, some)
    return [PricedDay(source, day, plans[source, day]) for source, day in days]


def summed(plans: Iterable[Plan]) -> Plan:
    """Return what several plans come to, those that read the same file each counted.

    >>> summed([Plan(1, 10, 0, paid=True), Plan(2, 5, 3, paid=True)])
    Plan(files=3, bytes=15, held=3, paid=True)
    """
    plans = list(plans)
    sums = (sum(one[column] for one in plans) for column in range(3))
    return Plan(*sums, any(one.paid for one in plans))


def refuse(usd: float, max_usd: float) -> list[Landed]:
    """Raise that a day is too dear for its run."""
    raise TooDear(
        f"would cost about {dollars(usd)}, and all that this run reads may cost "
        f"{dollars(max_usd)}: raise run.max_usd, or it waits for a run that can afford it"
    )


def _listed(
    settings: Settings, source: str, days: Sequence[date]
) -> dict[SourceDay, Plan | None]:
    """Return what days in a row come to; None: no answer, and landing says why."""
    try:
        pull = ROADS[source].pull(settings.roots[source], days[0], days[-1] + DAY)
    except (SourceError, OSError):
        return dict.fromkeys([(source, day) for day in days])
    left = set(pull.left(settings.lake))
    if not pull.daily:
        return dict.fromkeys([(source, day) for day in days], pull.plan(left))
    return {(source, day): pull.plan([day] if day in left else [], of=[day]) for day in days}


def _runs(days: Sequence[date]) -> Iterator[list[date]]:
    """Yield the days in a row."""
    for _, run in groupby(enumerate(days), lambda pair: pair[1] - pair[0] * DAY):
        yield [day for _, day in run]
