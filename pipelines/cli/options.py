"""This module holds what several landing verbs take: options, and how days are read."""

from collections.abc import Callable
from datetime import date, datetime

import click

from warehouse.cli import json_option, lake_option

DAY = click.DateTime(["%Y-%m-%d"])
MAX_USD = 5.0

again_option = click.option(
    "--again",
    is_flag=True,
    help="Read also what the lake holds of files that have not changed; of a bucket they are "
    "left out, because reading them costs money.",
)


def archive_options(verb: Callable) -> Callable:
    """Add what every verb takes that reads an archive."""
    for option in (
        json_option,
        lake_option,
        click.option("--plan", "plan_only", is_flag=True, help="Say what would be read; stop."),
        again_option,
        click.option(
            "--max-usd",
            type=click.FloatRange(0),
            default=MAX_USD,
            show_default=True,
            help="What reading a requester-pays bucket may cost at most.",
        ),
        click.option("--to", "until", type=DAY, help="First UTC day not to land."),
        click.option("--from", "since", type=DAY, help="First UTC day to land."),
        click.option(
            "--root",
            required=True,
            help="Folder or s3:// URL above the archive's own paths.  Reading a "
            "requester-pays bucket costs money, which is said first; see data/README.md.",
        ),
    ):
        verb = option(verb)
    return verb


def day_range(
    since: datetime | None, until: datetime | None
) -> tuple[date | None, date | None]:
    """Return the days asked for.

    >>> day_range(datetime(2026, 1, 2), None)
    (datetime.date(2026, 1, 2), None)
    >>> day_range(datetime(2026, 1, 2), datetime(2026, 1, 2))
    Traceback (most recent call last):
    ValueError: --from 2026-01-02 must be before --to 2026-01-02, which is exclusive
    """
    first, end = utc_day(since), utc_day(until)
    if first and end and first >= end:
        raise ValueError(f"--from {first} must be before --to {end}, which is exclusive")
    return first, end


def utc_day(moment: datetime | None) -> date | None:
    """Return the day that click has read; None stays None."""
    if moment is not None and not 2000 <= moment.year < 2200:
        raise ValueError(f"{moment.date()} is no day of this market; years are 2000 to 2199")
    return moment and moment.date()
