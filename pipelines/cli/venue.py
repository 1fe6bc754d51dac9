"""This module holds the verbs that ask the venue, or a node of one's own."""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import click

from pipelines.cli.options import DAY, utc_day
from pipelines.cli.pulling import check_lake, together
from pipelines.cli.shown import show_landed
from warehouse.cli import json_option, lake_option
from warehouse.terminal import progress_bar, say

if TYPE_CHECKING:
    from pipelines.landed import Landed


def _venue_options(verb: Callable) -> Callable:
    """Add what every verb takes that asks the venue."""
    for option in (
        json_option,
        click.option(
            "--simulated", is_flag=True, help="The venue is a simulated one: rows say so."
        ),
        click.option(
            "--reserve",
            type=click.FloatRange(0, 1, max_open=True),
            default=0.1,
            show_default=True,
            help="Share of the venue's rate limit to leave alone.",
        ),
        click.option(
            "--url",
            default="https://api.hyperliquid.xyz",
            show_default=True,
            help="The venue's API.",
        ),
        lake_option,
    ):
        verb = option(verb)
    return verb


@click.command()
@click.option(
    "--leaderboard",
    default="https://stats-data.hyperliquid.xyz/Mainnet/leaderboard",
    show_default=True,
    help="Where accounts are found; '' leaves it out.",
)
@click.option("--dex", default="", help="The only perp dex to ask about; all without it.")
@click.option(
    "--minutes",
    type=click.FloatRange(0, min_open=True),
    help="How long asking may take; who is not asked then is skipped.  All are without it.",
)
@_venue_options
def sweep(
    lake: str,
    url: str,
    leaderboard: str,
    dex: str,
    minutes: float | None,
    reserve: float,
    simulated: bool,
    as_json: bool,
) -> None:
    """What accounts hold now, asked one by one within the venue's rate limit."""
    from pipelines.steps.noted import noted
    from pipelines.steps.sweep_now import sweep_now
    from pipelines.steps.sweep_pace import Pace

    check_lake(lake)
    with progress_bar("accounts") as bar:
        # A bar moves on a terminal alone.
        lines = Pace(say, partial(datetime.now, UTC))
        verb = partial(
            sweep_now,
            lake,
            url,
            leaderboard or None,
            dex=dex,
            minutes=minutes,
            reserve=reserve,
            simulated=simulated,
            say=say,
            progress=bar if sys.stderr.isatty() else lines,
        )
        landed = noted(lake, "simulated" if simulated else "info", None, verb)
    show_landed(landed, as_json)


@click.command()
@click.option("--day", type=DAY, help="UTC day that has ended; yesterday without it.")
@click.option(
    "--interval",
    type=click.Choice(["1m", "1h"]),
    default="1m",
    show_default=True,
    help="Length of a candle; the venue keeps 5,000 of each.",
)
@click.option("--dex", default="", help="The only perp dex to ask about; all without it.")
@click.option(
    "--books",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Of how many coins to read the book of this moment, largest first.",
)
@_venue_options
def now(
    lake: str,
    url: str,
    day: datetime | None,
    interval: str,
    dex: str,
    books: int,
    reserve: float,
    simulated: bool,
    as_json: bool,
) -> None:
    """Candles, funding and the liquidator vaults' fills of a day, from the venue's API."""
    from pipelines.sources.info.budget import budget_for
    from pipelines.sources.info.client import InfoClient
    from pipelines.steps.books_now import land_books_now
    from pipelines.steps.discover import ask_dexes
    from pipelines.steps.land_now import land_account_fills, land_market_day
    from pipelines.steps.noted import noted
    from pipelines.steps.sweep_intent import chosen_dexes

    wanted = utc_day(day) or datetime.now(UTC).date() - timedelta(days=1)
    if wanted >= datetime.now(UTC).date():
        raise ValueError(f"--day {wanted}: must be a day that has ended in UTC")
    check_lake(lake)
    client_of = partial(InfoClient, url, budget_for(url, reserve), say)
    source = "simulated" if simulated else "info"
    dexes = chosen_dexes(ask_dexes(client_of), dex)
    with progress_bar("market") as progress:
        bars = partial(
            land_market_day,
            client_of,
            lake,
            wanted,
            interval=interval,
            dexes=dexes,
            source=source,
            progress=progress,
        )
        landed = noted(lake, source, wanted, bars)
    of_vaults = partial(land_account_fills, client_of, lake, wanted, source=source)
    landed = together(landed, noted(lake, source, wanted, of_vaults))
    if books:
        landed = together(landed, [land_books_now(client_of, lake, books, source=source)])
    show_landed(landed, as_json)


@click.command()
@click.option("--root", required=True, help="Folder that an own node writes its fills to.")
@click.option(
    "--minutes",
    type=click.FloatRange(0, min_open=True),
    help="How long to follow; until stopped without it.",
)
@lake_option
@json_option
def tail(root: str, minutes: float | None, lake: str, as_json: bool) -> None:
    """Fills of an own node as it writes them, until stopped."""
    from pipelines.steps.tail import tail as follow

    check_lake(lake)
    until = None if minutes is None else datetime.now(UTC) + timedelta(minutes=minutes)
    say(f"follows {root} into {lake}; stop it with Ctrl-C, and start it again at any time")
    clock = partial(datetime.now, UTC)
    landed = follow(root, lake, clock, time.sleep, until, told=_say_rows)
    show_landed([landed], as_json)


def _say_rows(landed: "Landed") -> None:
    """Say that something has come."""
    if landed.rows:
        say(f"{datetime.now(UTC):%H:%M:%S} UTC: {landed.rows} fills")
