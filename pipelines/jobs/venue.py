"""This module asks the venue as the settings say; units of a job that ask it."""

from datetime import UTC, date, datetime, timedelta
from functools import partial

from pipelines.jobs.telling import tell
from pipelines.jobs.units import Unit, Verb
from pipelines.landed import Landed
from pipelines.settings import Settings, Venue
from pipelines.sources.errors import SourceError
from pipelines.sources.info.budget import budget_for
from pipelines.sources.info.client import InfoClient
from pipelines.steps.books_now import land_books_now
from pipelines.steps.discover import ask_dexes
from pipelines.steps.land_now import land_account_fills, land_market_day
from pipelines.steps.noted import noted
from pipelines.steps.sweep_now import sweep_now
from pipelines.steps.sweep_pace import Pace

HOUR = timedelta(hours=1)
BEFORE_THE_NEXT = timedelta(minutes=10)  # that an hour's sweep is over, for landing and books


def sweep(settings: Settings, minutes: float, ends: datetime | None = None) -> list[Landed]:
    """Sweep accounts for at most so many minutes: those near liquidation first.

    Parameters
    ----------
    settings
        How to ask whom.
    minutes
        How long asking may take.
    ends
        When it is over, however long it takes to find accounts or to be let in again by a venue
        that refuses, and however often it is tried; None: ``minutes`` alone says it.

    Raises
    ------
    SourceError
        If it is over already.
    """
    venue = _venue(settings)
    if ends is not None and _now() >= ends:
        raise SourceError(f"its time was over at {ends:%H:%M} UTC, so it is not tried again")
    return sweep_now(
        settings.lake,
        venue.url,
        venue.leaderboard or None,
        minutes=minutes,
        ends=ends,
        listen=venue.listen_seconds or None,
        reserve=venue.reserve,
        simulated=venue.simulated,
        say=tell,
        progress=Pace(tell, _now),
    )


def end_of_hour(due: datetime, now: datetime) -> datetime:
    """Return when the sweep of an hour must be over, so that the next hour's may begin.

    The hours are counted from when the job was due; one that begins late, behind a night's
    job, has the rest of the hour in which it begins.

    >>> due = datetime(2026, 1, 5, 12, 5)
    >>> [str(end_of_hour(due, due + timedelta(minutes=late))) for late in (0, 49, 50)]
    ['2026-01-05 12:55:00', '2026-01-05 12:55:00', '2026-01-05 13:55:00']
    """
    late = max(now - due + BEFORE_THE_NEXT, timedelta(0))
    return due + (late // HOUR + 1) * HOUR - BEFORE_THE_NEXT


def books(settings: Settings) -> list[Landed]:
    """Land the books of the largest coins."""
    venue = _venue(settings)
    return [land_books_now(_client_of(venue), settings.lake, venue.books, source=_said(venue))]


def market_day(settings: Settings, day: date) -> list[Landed]:
    """Land the minute candles and the funding of a closed day, of every dex."""
    venue = _venue(settings)
    client_of = _client_of(venue)
    dexes = ask_dexes(client_of)
    return land_market_day(
        client_of,
        settings.lake,
        day,
        dexes=dexes,
        source=_said(venue),
        progress=Pace(tell, _now),
    )


def day_of_vault_fills(settings: Settings, day: date) -> list[Landed]:
    """Land the fills of the liquidator vaults on a closed day."""
    venue = _venue(settings)
    return [land_account_fills(_client_of(venue), settings.lake, day, source=_said(venue))]


def venue_unit(settings: Settings, name: str, day: date, verb: Verb) -> Unit:
    """Return a unit that asks the venue; that it failed is noted, as of an archive."""
    return Unit(
        name, partial(noted, settings.lake, _said(_venue(settings)), day, verb), "venue"
    )


def _venue(settings: Settings) -> Venue:
    assert settings.venue is not None  # jobs ask only where there is one
    return settings.venue


def _client_of(venue: Venue) -> partial[InfoClient]:
    return partial(InfoClient, venue.url, budget_for(venue.url, venue.reserve), tell)


def _now() -> datetime:
    return datetime.now(UTC)


def _said(venue: Venue) -> str:
    return "simulated" if venue.simulated else "info"
