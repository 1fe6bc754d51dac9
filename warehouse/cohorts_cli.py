"""This module holds the command line's verbs about cohorts, and about changes of a map."""

import click

from warehouse import open_lake
from warehouse.ask import Answer, moment
from warehouse.cli import json_option, lake_option
from warehouse.cohorts import liquidation_risk, map_changes
from warehouse.terminal import print_json, print_table, say

# What people see; --json prints every column.
CHANGES_SHOWN = (
    "side",
    "px_low",
    "px_high",
    "from_notional",
    "held",
    "resized",
    "moved_in",
    "moved_out",
    "opened",
    "closed",
    "liquidated",
    "not_seen",
    "to_notional",
)
RISK_SHOWN = (
    "coin",
    "open_interest",
    "at_risk",
    "risk_pct",
    "positions",
    "positions_at_risk",
    "unknown_interest",
)

knowable_option = click.option(
    "--knowable", is_flag=True, help="Use only what had been published by then."
)


def _print(answer: Answer, shown: tuple[str, ...], as_json: bool) -> None:
    if as_json:
        print_json(answer.columns, answer.rows)
    elif answer.rows:
        answer = answer.of(shown)
        print_table(answer.columns, answer.rows)
    say(answer.basis)


@click.command()
@click.argument("coin")
@click.option("--from", "from_at", required=True, help="Moment, as 2026-02-05T12:00Z.")
@click.option("--to", "to_at", required=True, help="Later moment.")
@click.option(
    "--width", "width_pct", type=float, default=0.5, show_default=True, help="Bucket, per cent."
)
@knowable_option
@lake_option
@json_option
def changes(
    coin: str,
    from_at: str,
    to_at: str,
    width_pct: float,
    knowable: bool,
    lake: str,
    as_json: bool,
) -> None:
    """Show where the mass of a map comes from: held, moved, opened, closed, liquidated."""
    with open_lake(lake) as con:
        answer = map_changes(con, coin, moment(from_at), moment(to_at), width_pct, knowable)
    _print(answer, CHANGES_SHOWN, as_json)


@click.command()
@click.argument("segment")
@click.option("--at", required=True, help="Moment, as 2026-02-05T12:00Z.")
@click.option(
    "--threshold",
    "threshold_pct",
    type=float,
    default=75.0,
    show_default=True,
    help="At risk from this share of the way from entry to liquidation on, per cent.",
)
@knowable_option
@lake_option
@json_option
def risk(
    segment: str, at: str, threshold_pct: float, knowable: bool, lake: str, as_json: bool
) -> None:
    """Show how much of a segment's open interest is near liquidation, coin by coin."""
    with open_lake(lake) as con:
        answer = liquidation_risk(con, segment, moment(at), knowable, threshold_pct)
    _print(answer, RISK_SHOWN, as_json)
