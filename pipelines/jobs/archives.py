"""This module lands a day of an archive, whichever it is, and says what reading it costs."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import NamedTuple

from pipelines.jobs.names import SOURCES
from pipelines.jobs.units import Unit
from pipelines.landed import Landed
from pipelines.settings import Settings
from pipelines.steps import pulls
from pipelines.steps.balances import land_balances
from pipelines.steps.books import land_books
from pipelines.steps.contexts import land_contexts
from pipelines.steps.fills import land_hourly_fills
from pipelines.steps.market import land_market
from pipelines.steps.noted import noted
from pipelines.steps.positions import land_reservoir
from pipelines.steps.pull import Pull
from pipelines.steps.reservoir_fills import land_reservoir_fills

DAY = timedelta(days=1)


class Road(NamedTuple):
    """How an archive is listed and how it is landed; both take root and days."""

    pull: Callable[[str, date | None, date | None], Pull]
    land: Callable[[str, str, date, date], Landed | list[Landed]]


def _hourly(source: str, root: str, lake: str, since: date, until: date) -> Landed:
    return land_hourly_fills(root, lake, since, until, source)


ROADS: dict[str, Road] = {
    "market_files": Road(pulls.market_pull, land_market),
    "asset_ctxs": Road(pulls.contexts_pull, land_contexts),
    "reservoir": Road(pulls.positions_pull, land_reservoir),
    "artemis_balances": Road(pulls.balances_pull, land_balances),
    "reservoir_fills": Road(pulls.daily_fills_pull, land_reservoir_fills),
    "l2_books": Road(pulls.books_pull, land_books),
}
ROADS |= {
    source: Road(partial(pulls.hourly_pull, source), partial(_hourly, source))
    for source in SOURCES
    if source not in ROADS
}


def land_day(source: str, root: str, lake: str, day: date, max_usd: float) -> list[Landed]:
    """Land one UTC day of a source; safe to repeat.

    Of a bucket, files that the lake holds and that have not changed are not read again.

    Raises
    ------
    TooDear
        If reading the day would cost more than ``max_usd``.
    """
    road, until = ROADS[source], day + DAY
    if root.startswith("s3://"):
        pull = road.pull(root, day, until)
        left = pull.left(lake)
        if pull.days and not left:
            return []
        pull.plan(left).allow(max_usd)
    landed = road.land(root, lake, day, until)
    return landed if isinstance(landed, list) else [landed]


def archive_unit(settings: Settings, source: str, day: date, max_usd: float) -> Unit:
    """Return the unit that lands a day of a source from its root, for at most ``max_usd``."""
    root, lake = settings.roots[source], settings.lake
    verb = partial(land_day, source, root, lake, day, max_usd)
    return Unit(f"{source} {day}", partial(noted, lake, source, day, verb), source)
