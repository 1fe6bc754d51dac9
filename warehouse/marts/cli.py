"""This module holds the command line's verb that bins maps ahead."""

from datetime import datetime

import click

from warehouse.cli import json_option, lake_option
from warehouse.terminal import print_json, print_table, say

DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@lake_option
@click.option("--from", "since", type=DAY, help="First UTC day.")
@click.option("--to", "until", type=DAY, help="First UTC day not to make.")
@json_option
def marts(lake: str, since: datetime | None, until: datetime | None, as_json: bool) -> None:
    """Bin the maps of every snapshot ahead; answers stay the same, and come sooner."""
    from warehouse.marts.refresh import refresh

    first = since.date() if since else None
    end = until.date() if until else None
    if first and end and first >= end:
        raise ValueError(f"--from {first} must be before --to {end}, which is exclusive")
    done = refresh(lake, first, end, (lambda _: None) if as_json else say)
    columns = ("days", "current", "rows")
    row = (len(done.days), done.current, done.rows)
    if as_json:
        print_json((*columns, "left"), [(*row, done.left)])
    else:
        print_table(columns, [row])
        for sentence in done.left:
            say(f"  {sentence}")
