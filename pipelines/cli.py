"""This module holds the command line's verbs that land rows."""

import os
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from warehouse.cli import json_option, lake_option
from warehouse.terminal import print_json, print_table, progress_bar, say

if TYPE_CHECKING:
    from pipelines.landed import Landed

DAY = click.DateTime(["%Y-%m-%d"])


def _landing_options(verb: Callable) -> Callable:
    """Add what every landing takes."""
    for option in (
        json_option,
        lake_option,
        click.option("--to", "until", type=DAY, help="First UTC day not to land."),
        click.option("--from", "since", type=DAY, help="First UTC day to land."),
        click.option(
            "--root",
            required=True,
            help="Folder or s3:// URL above the archive's own paths.  Reading a "
            "requester-pays bucket costs money; data/README.md says how much.",
        ),
    ):
        verb = option(verb)
    return verb


def _range(since: datetime | None, until: datetime | None) -> tuple[date | None, date | None]:
    first, end = _day(since), _day(until)
    if first and end and first >= end:
        raise ValueError(f"--from {first} must be before --to {end}, which is exclusive")
    return first, end


def _day(moment: datetime | None) -> date | None:
    if moment is not None and not 2000 <= moment.year < 2200:
        raise ValueError(f"{moment.date()} is no day of this market; years are 2000 to 2199")
    return moment and moment.date()


def show_landed(landed: "list[Landed]", as_json: bool) -> None:
    """Print what was landed, one row a table, and what is missing in words."""
    columns = ("table", "parts", "rows", "duplicates", "unknown_fields", "gaps")
    if as_json:
        print_json(
            (*columns, "notes"),
            [
                (
                    one.table,
                    len(one.files),
                    one.rows,
                    one.duplicates,
                    one.unknown_fields,
                    one.gaps,
                    one.notes,
                )
                for one in landed
            ],
        )
        return
    print_table(
        columns,
        [
            (
                one.table,
                len(one.files),
                one.rows,
                one.duplicates,
                ", ".join(f"{name} ×{count}" for name, count in one.unknown_fields.items())
                or None,
                len(one.gaps),
            )
            for one in landed
        ],
    )
    for one in landed:
        for sentence in [*one.gaps[:10], *one.notes]:
            say(f"  {sentence}")
        if len(one.gaps) > 10:
            say(f"  … and {len(one.gaps) - 10} more gaps")


@click.group()
def ingest() -> None:
    """Land rows in the lake; landing a batch again leaves the same bytes."""


@ingest.command()
@click.option(
    "--source", type=click.Choice(["reservoir"]), default="reservoir", show_default=True
)
@_landing_options
def positions(
    source: str,
    root: str,
    since: datetime | None,
    until: datetime | None,
    lake: Path,
    as_json: bool,
) -> None:
    """Snapshots of every open position."""
    from pipelines.steps.positions import land_reservoir

    first, end = _range(since, until)
    with progress_bar("positions") as progress:
        landed = land_reservoir(root, lake, first, end, source, progress)
    show_landed(landed, as_json)


@ingest.command()
@click.option(
    "--source",
    type=click.Choice(["node_fills_by_block"]),
    default="node_fills_by_block",
    show_default=True,
)
@_landing_options
def fills(
    source: str,
    root: str,
    since: datetime | None,
    until: datetime | None,
    lake: Path,
    as_json: bool,
) -> None:
    """Fills of every account, liquidations among them."""
    from pipelines.steps.fills import land_node_fills

    first, end = _range(since, until)
    with progress_bar("fills") as progress:
        landed = land_node_fills(root, lake, first, end, source, progress)
    show_landed([landed], as_json)


@ingest.command()
@click.option(
    "--source", type=click.Choice(["market_files"]), default="market_files", show_default=True
)
@_landing_options
def market(
    source: str,
    root: str,
    since: datetime | None,
    until: datetime | None,
    lake: Path,
    as_json: bool,
) -> None:
    """Candles, funding, open interest and margin rules from market files."""
    from pipelines.steps.market import land_market

    first, end = _range(since, until)
    with progress_bar("market") as progress:
        landed = land_market(root, lake, first, end, source, progress=progress)
    show_landed(landed, as_json)


@ingest.command()
@lake_option
@click.option(
    "--url", default="https://api.hyperliquid.xyz", show_default=True, help="The venue's API."
)
@click.option(
    "--leaderboard",
    default="https://stats-data.hyperliquid.xyz/Mainnet/leaderboard",
    show_default=True,
    help="Where accounts are found; '' leaves it out.",
)
@click.option("--dex", default="", help="A builder's perp dex; the first one without it.")
@click.option(
    "--minutes",
    type=click.FloatRange(0, min_open=True),
    help="How long it may take; all known accounts are asked without it.",
)
@click.option(
    "--reserve",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.1,
    show_default=True,
    help="Share of the venue's rate limit to leave alone.",
)
@click.option("--simulated", is_flag=True, help="The venue is a simulated one: rows say so.")
@json_option
def sweep(
    lake: Path,
    url: str,
    leaderboard: str,
    dex: str,
    minutes: float | None,
    reserve: float,
    simulated: bool,
    as_json: bool,
) -> None:
    """What accounts hold now, asked one by one within the venue's rate limit."""
    from pipelines.steps.sweep_now import sweep_now

    with progress_bar("accounts") as progress:
        landed = sweep_now(
            lake,
            url,
            leaderboard or None,
            dex=dex,
            minutes=minutes,
            reserve=reserve,
            simulated=simulated,
            say=say,
            progress=progress,
        )
    show_landed(landed, as_json)


def _root_options(verb: Callable) -> Callable:
    """Add the roots that a nightly ingest reads."""
    for option in (
        lake_option,
        click.option("--fills", "fills_root", help="Root of node_fills_by_block."),
        click.option("--positions", "positions_root", help="Root of the Reservoir."),
        click.option("--market", "market_root", help="Root of market files."),
    ):
        verb = option(verb)
    return verb


@ingest.command()
@_root_options
@click.option("--day", type=DAY, help="UTC day to land; yesterday without it.")
@click.option("--plain", is_flag=True, help="Without Prefect: no retries, no server.")
@json_option
def nightly(
    market_root: str | None,
    positions_root: str | None,
    fills_root: str | None,
    lake: Path,
    day: datetime | None,
    plain: bool,
    as_json: bool,
) -> None:
    """Everything of one closed UTC day, once."""
    from pipelines.steps.nightly import Roots, closed_day, land_day

    roots = Roots(market_root, positions_root, fills_root).check()
    wanted = _day(day) or closed_day()
    if plain:
        with progress_bar("nightly") as progress:
            landed = land_day(roots, lake, wanted, progress)
    else:
        # A server of one run's length keeps no log; one that is named (PREFECT_API_URL) does.
        os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
        if "PREFECT_API_URL" not in os.environ:
            os.environ.setdefault("PREFECT_LOGGING_TO_API_ENABLED", "false")
        from pipelines.flows.nightly import run_once

        landed = run_once(roots, lake, wanted)
    show_landed(landed, as_json)


@click.command()
@_root_options
@click.option(
    "--cron", default="30 2 * * *", show_default=True, help="When, in UTC, as cron writes it."
)
def schedule(
    market_root: str | None,
    positions_root: str | None,
    fills_root: str | None,
    lake: Path,
    cron: str,
) -> None:
    """Run the nightly ingest on a cron, until stopped."""
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    from pipelines.flows.server import a_server
    from pipelines.steps.nightly import Roots

    roots = Roots(market_root, positions_root, fills_root).check()
    say(f"nightly ingest into {lake} at '{cron}' UTC; stop it with Ctrl-C")
    with a_server():
        from pipelines.flows.nightly import serve

        serve(roots, lake, cron)
