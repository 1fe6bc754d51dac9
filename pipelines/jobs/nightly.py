"""This module says what a night's job does for a closed UTC day."""

from datetime import date, datetime, timedelta
from functools import partial

from pipelines.jobs.archives import archive_unit
from pipelines.jobs.units import Unit
from pipelines.jobs.upkeep import check_day, check_freshness, compact_day
from pipelines.jobs.venue import day_of_vault_fills, market_day, sweep
from pipelines.settings import Settings

FIRST = ("market_files", "asset_ctxs")  # margins of positions need the instruments then


def closed_day(now: datetime) -> date:
    """Return the newest UTC day that has ended.

    >>> from datetime import UTC
    >>> closed_day(datetime(2026, 2, 6, 0, 1, tzinfo=UTC))
    datetime.date(2026, 2, 5)
    """
    return now.date() - timedelta(days=1)


def nightly_stages(settings: Settings, day: date) -> list[list[Unit]]:
    """Return the stages of the nightly job: what others need, all else, then the upkeep."""
    first = [archive_unit(settings, name, day) for name in FIRST if name in settings.roots]
    rest = [archive_unit(settings, name, day) for name in settings.roots if name not in FIRST]
    if settings.venue is not None:
        minutes = settings.venue.nightly_minutes
        asked = {
            "sweep": partial(sweep, settings, minutes),
            "candles and funding": partial(market_day, settings, day),
            "fills of vaults": partial(day_of_vault_fills, settings, day),
        }
        rest += [Unit(f"{name} {day}", verb, "venue") for name, verb in asked.items()]
    upkeep = {
        "checks": partial(check_day, settings, day),
        "compaction": partial(compact_day, settings, day),
        "freshness": partial(check_freshness, settings),
    }
    after = [Unit(f"{name} {day}", verb, "upkeep") for name, verb in upkeep.items()]
    return [stage for stage in (first, rest, after) if stage]
