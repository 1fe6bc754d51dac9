"""This module says what an hour's job does: a sweep of who is near liquidation, and books.

The sweep lands the contexts of every dex it asks.
"""

from functools import partial

from pipelines.jobs.units import Unit
from pipelines.jobs.venue import books, sweep
from pipelines.settings import Settings, SettingsError


def hourly_stages(settings: Settings) -> list[list[Unit]]:
    """Return the units of the hourly job.

    Raises
    ------
    SettingsError
        If there is no venue to ask.
    """
    if settings.venue is None:
        raise SettingsError("hourly: the settings name no [venue] to ask")
    minutes = settings.venue.hourly_minutes
    units = [Unit("sweep", partial(sweep, settings, minutes), "venue")]
    if settings.venue.books:
        units.append(Unit("books", partial(books, settings), "venue"))
    return [units]
