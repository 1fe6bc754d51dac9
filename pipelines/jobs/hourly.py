"""This module says what an hour's job does: a sweep of who is near liquidation, and books.

The sweep lands the contexts of every dex it asks.
"""

from datetime import date
from functools import partial

from pipelines.jobs.units import Unit
from pipelines.jobs.venue import books, sweep, venue_unit
from pipelines.settings import Settings, SettingsError


def hourly_stages(settings: Settings, today: date) -> list[list[Unit]]:
    """Return the units of the hourly job; ``today`` is the UTC day it is asked on.

    Raises
    ------
    SettingsError
        If there is no venue to ask.
    """
    if settings.venue is None:
        raise SettingsError("hourly: the settings name no [venue] to ask")
    minutes = settings.venue.hourly_minutes
    units = [venue_unit(settings, "sweep", today, partial(sweep, settings, minutes))]
    if settings.venue.books:
        units.append(venue_unit(settings, "books", today, partial(books, settings)))
    return [units]
