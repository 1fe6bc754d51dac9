"""This module holds the command line's verb that keeps the lake small."""

import re
from datetime import UTC, date, datetime, timedelta

import click

from warehouse.cli import json_option, lake_option
from warehouse.terminal import print_json, print_table, say

DAY = click.DateTime(["%Y-%m-%d"])
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}


@click.command()
@lake_option
@click.option("--from", "since", type=DAY, help="First UTC day to compact.")
@click.option("--to", "until", type=DAY, help="First UTC day not to compact.")
@click.option("--before", type=DAY, help="The same as --to.")
@click.option("--table", "tables", multiple=True, help="A table; all of them without it.")
@click.option(
    "--grace",
    default="60s",
    show_default=True,
    help="How long replaced files stay for readers, as 60s, 5m or 1h.",
)
@json_option
def compact(
    lake: str,
    since: datetime | None,
    until: datetime | None,
    before: datetime | None,
    tables: tuple[str, ...],
    grace: str,
    as_json: bool,
) -> None:
    """Make one file of each closed day and table; answers stay the same."""
    from warehouse.store.compaction import compact as run

    ends = [moment for moment in (until, before) if moment]
    first, end = _day(since), _day(min(ends)) if ends else None
    if first and end and first >= end:
        raise ValueError(f"--from {first} must be before --to {end}, which is exclusive")
    done = run(lake, datetime.now(UTC), first, end, tables, _span(grace))
    columns = ("files", "parts", "rows", "bytes_before", "bytes_after", "removed")
    row = (
        done.files,
        done.parts,
        done.rows,
        done.bytes_before,
        done.bytes_after,
        len(done.removed),
    )
    if as_json:
        print_json((*columns, "damaged"), [(*row, done.damaged)])
    else:
        print_table(columns, [row])
    if done.damaged:
        for sentence in done.damaged[1:]:
            say(f"  {sentence}")
        raise ValueError(
            f"{done.damaged[0]}; {len(done.damaged)} days were left as they are: land what is "
            "damaged again, then compact"
        )


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def _span(text: str) -> timedelta:
    """Read a span of time.

    >>> _span("60s"), _span("5m")
    (datetime.timedelta(seconds=60), datetime.timedelta(seconds=300))
    """
    found = re.fullmatch(r"([0-9]{1,6})([smh])", text)
    if not found:
        raise ValueError(f"--grace {text!r} must be a number and its unit, as 60s, 5m or 1h")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
