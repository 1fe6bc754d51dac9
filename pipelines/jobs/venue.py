"""This module asks the venue as the settings say; units of a job that ask it."""

from datetime import date
from functools import partial

from pipelines.jobs.units import Unit, Verb
from pipelines.landed import Landed
from pipelines.settings import Settings, Venue
from pipelines.sources.info.budget import budget_for
from pipelines.sources.info.client import InfoClient
from pipelines.steps.books_now import land_books_now
from pipelines.steps.discover import ask_dexes
from pipelines.steps.land_now import land_account_fills, land_market_day
from pipelines.steps.noted import noted
from pipelines.steps.sweep_now import sweep_now
from warehouse.terminal import say


def sweep(settings: Settings, minutes: float) -> list[Landed]:
    """Sweep accounts for at most so many minutes: those near liquidation first."""
    venue = _venue(settings)
    return sweep_now(
        settings.lake,
        venue.url,
        venue.leaderboard or None,
        minutes=minutes,
        listen=venue.listen_seconds or None,
        reserve=venue.reserve,
        simulated=venue.simulated,
        say=say,
    )


def books(settings: Settings) -> list[Landed]:
    """Land the books of the largest coins."""
    venue = _venue(settings)
    return [land_books_now(_client_of(venue), settings.lake, venue.books, source=_said(venue))]


def market_day(settings: Settings, day: date) -> list[Landed]:
    """Land the minute candles and the funding of a closed day, of every dex."""
    venue = _venue(settings)
    client_of = _client_of(venue)
    dexes = ask_dexes(client_of)
    return land_market_day(client_of, settings.lake, day, dexes=dexes, source=_said(venue))


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
    return partial(InfoClient, venue.url, budget_for(venue.url, venue.reserve), say)


def _said(venue: Venue) -> str:
    return "simulated" if venue.simulated else "info"
