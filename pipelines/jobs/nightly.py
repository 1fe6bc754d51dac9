"""This module says what a night's job does for a closed UTC day."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import partial

from pipelines.jobs.hourly import SWEPT, now_unit
from pipelines.jobs.spending import Spending
from pipelines.jobs.units import Unit
from pipelines.jobs.upkeep import bin_days, check_days, compact_days, hold_prices
from pipelines.jobs.venue import day_of_vault_fills, market_day, sweep, venue_unit
from pipelines.settings import Settings

FIRST = ("market_files", "asset_ctxs")  # margins of positions need the instruments then


def closed_day(now: datetime) -> date:
    """Return the newest UTC day that has ended.

    >>> from datetime import UTC
    >>> closed_day(datetime(2026, 2, 6, 0, 1, tzinfo=UTC))
    datetime.date(2026, 2, 5)
    """
    return now.date() - timedelta(days=1)


def nightly_stages(
    settings: Settings, day: date, spending: Spending, due: datetime
) -> list[list[Unit]]:
    """Return the stages of the nightly job: what others need, all else, then the upkeep.

    Parameters
    ----------
    settings
        Where to read, and how.
    day
        The closed day.
    spending
        What to read of archives: that day of each, and days before it that should be there,
        are not, and may be had now.
    due
        When the job was due; of that hour is the sweep.
    """
    first = [unit for source, unit in spending.units(settings) if source in FIRST]
    rest = [unit for source, unit in spending.units(settings) if source not in FIRST]
    days: Sequence[date] = sorted({day, *(one.day for one in spending.days)})
    if settings.venue is not None:
        full = partial(sweep, settings, settings.venue.nightly_minutes)
        rest.append(now_unit(settings, f"sweep {day}", SWEPT, due, full))
        asked = {
            "candles and funding": partial(market_day, settings, day),
            "fills of vaults": partial(day_of_vault_fills, settings, day),
        }
        rest += [
            venue_unit(settings, f"{name} {day}", day, verb) for name, verb in asked.items()
        ]
    upkeep = {
        "margin errors": partial(hold_prices, settings, days),
        "compaction": partial(compact_days, settings, days),
        "marts": partial(bin_days, settings, days),
        "checks": partial(check_days, settings, days),
    }
    after = [Unit(f"{name} {day}", verb, "upkeep") for name, verb in upkeep.items()]
    return [stage for stage in (first, rest, after) if stage]
