"""This module says what an hour's job does: a sweep of who is near liquidation, and books.

The sweep lands the contexts of every dex it asks; then the maps that are new are binned ahead.
"""

from datetime import UTC, datetime
from functools import partial

from pipelines.jobs.units import Unit, Verb
from pipelines.jobs.upkeep import bin_open_day
from pipelines.jobs.venue import books, end_of_hour, sweep
from pipelines.settings import Settings, SettingsError
from pipelines.steps.noted_now import noted_now

SWEPT = ("positions", "snapshots", "asset_contexts")
READ = ("order_books",)


def hourly_stages(settings: Settings, due: datetime) -> list[list[Unit]]:
    """Return the units of the hourly job that was due at ``due``.

    Raises
    ------
    SettingsError
        If there is no venue to ask.
    """
    if settings.venue is None:
        raise SettingsError("hourly: the settings name no [venue] to ask")
    # Once for all tries: one that is tried again does not begin its hour anew.
    ends = end_of_hour(due, datetime.now(UTC))
    near = partial(sweep, settings, settings.venue.hourly_minutes, ends)
    units = [now_unit(settings, "sweep", SWEPT, due, near)]
    if settings.venue.books:
        units.append(now_unit(settings, "books", READ, due, partial(books, settings)))
    maps = Unit("marts", partial(bin_open_day, settings, due.date()), "upkeep")
    return [units, [maps]]


def now_unit(
    settings: Settings, name: str, tables: tuple[str, ...], due: datetime, verb: Verb
) -> Unit:
    """Return a unit that asks the venue for the present; that it failed is noted."""
    assert settings.venue is not None
    source = "simulated" if settings.venue.simulated else "info"
    return Unit(name, partial(noted_now, settings.lake, source, tables, due, verb), "venue")
