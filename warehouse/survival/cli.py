"""This module holds the command line's verb about how long positions last."""

import click

from warehouse import open_lake
from warehouse.ask import moment
from warehouse.cli import MOST_ROWS, json_option, lake_option
from warehouse.survival.ask import BY, survival
from warehouse.terminal import print_json, print_table, say

SHOWN = {"groups": "survival_groups", "curves": "survival_curves", "fit": "survival_weibull"}


@click.command(name="survival")
@click.argument("coin", default="all")
@click.option("--from", "since", required=True, help="First moment, as 2026-02-05T12:00Z.")
@click.option("--to", "until", required=True, help="Moment after it, exclusive.")
@click.option("--by", type=click.Choice(list(BY)), default="leverage", show_default=True)
@click.option(
    "--show",
    type=click.Choice(list(SHOWN)),
    default="groups",
    show_default=True,
    help="A line a group; every step of the curves; the terms of the Weibull fit.",
)
@click.option(
    "--already-there", is_flag=True, help="Count those too that the first look shows."
)
@click.option("--knowable", is_flag=True, help="Use only what had been published by --to.")
@lake_option
@json_option
def survival_(
    coin: str,
    since: str,
    until: str,
    by: str,
    show: str,
    already_there: bool,
    knowable: bool,
    lake: str,
    as_json: bool,
) -> None:
    """Show how long positions lasted until they were liquidated, of one coin or of all."""
    begun = ("opened", "unknown") if already_there else ("opened",)
    with open_lake(lake) as con:
        answer = survival(con, moment(since), moment(until), coin, by, begun, knowable)
    told = getattr(answer, SHOWN[show])
    rows = [tuple(row.values()) for row in told.to_pylist()]
    if as_json:
        print_json(told.column_names, rows)
    elif rows:
        print_table(told.column_names, rows[:MOST_ROWS])
        if len(rows) > MOST_ROWS:
            say(f"… and more: the first {MOST_ROWS} rows are shown; --json prints all")
    say(answer.basis)
