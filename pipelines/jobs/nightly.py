"""This module says what a night's job does for a closed UTC day."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import partial

from pipelines.jobs.archives import archive_unit
from pipelines.jobs.units import Unit
from pipelines.jobs.upkeep import check_days, check_freshness, compact_days
from pipelines.jobs.venue import day_of_vault_fills, market_day, sweep, venue_unit
from pipelines.settings import Settings

SourceDay = tuple[str, date]
FIRST = ("market_files", "asset_ctxs")  # margins of positions need the instruments then


def closed_day(now: datetime) -> date:
    """Return the newest UTC day that has ended.

    >>> from datetime import UTC
    >>> closed_day(datetime(2026, 2, 6, 0, 1, tzinfo=UTC))
    datetime.date(2026, 2, 5)
    """
    return now.date() - timedelta(days=1)


def nightly_stages(
    settings: Settings, day: date, late: Sequence[SourceDay] = ()
) -> list[list[Unit]]:
    """Return the stages of the nightly job: what others need, all else, then the upkeep.

    ``late``: days before it of archives that should be there and are not, and may be had now.
    """
    wanted = [*late, *((name, day) for name in settings.roots)]
    first = [archive_unit(settings, *one) for one in wanted if one[0] in FIRST]
    rest = [archive_unit(settings, *one) for one in wanted if one[0] not in FIRST]
    days = sorted({day, *(one for _, one in late)})
    if settings.venue is not None:
        minutes = settings.venue.nightly_minutes
        asked = {
            "sweep": partial(sweep, settings, minutes),
            "candles and funding": partial(market_day, settings, day),
            "fills of vaults": partial(day_of_vault_fills, settings, day),
        }
        rest += [
            venue_unit(settings, f"{name} {day}", day, verb) for name, verb in asked.items()
        ]
    upkeep = {
        "checks": partial(check_days, settings, days),
        "compaction": partial(compact_days, settings, days),
        "freshness": partial(check_freshness, settings),
    }
    after = [Unit(f"{name} {day}", verb, "upkeep") for name, verb in upkeep.items()]
    return [stage for stage in (first, rest, after) if stage]
