"""This module holds the command line's verbs about liquidations through time."""

from collections.abc import Callable

import click

from warehouse import open_lake
from warehouse.ask import Answer, moment
from warehouse.cli import MOST_ROWS, json_option, lake_option
from warehouse.flow import cascades, length, liquidation_flow
from warehouse.terminal import print_json, print_table, say

# What people see; --json prints every column.
FLOW_SHOWN = (
    "ts",
    "liquidations",
    "long_notional",
    "short_notional",
    "mean_notional",
    "accounts",
    "velocity",
    "velocity_ratio",
    "funding_rate",
    "open_interest",
    "open_interest_change_pct",
    "depth",
    "cascade_score",
    "score_at_least",
)
CASCADES_SHOWN = (
    "start_ts",
    "end_ts",
    "side",
    "peak_ts",
    "peak_velocity",
    "liquidations",
    "notional",
    "accounts",
    "adl_notional",
    "move_pct",
    "recovery_pct",
)


def _span_options(verb: Callable) -> Callable:
    """Add what every question about a coin within a span takes."""
    for option in (
        json_option,
        lake_option,
        click.option(
            "--knowable", is_flag=True, help="Use only what had been published by --to."
        ),
        click.option("--to", "until", required=True, help="Moment after it, exclusive."),
        click.option(
            "--from", "since", required=True, help="First moment, as 2025-10-10T21:00Z."
        ),
        click.argument("coin"),
    ):
        verb = option(verb)
    return verb


@click.command()
@_span_options
@click.option("--every", default="1h", show_default=True, help="Interval: 30s, 15m, 1h, 1d.")
def flow(
    coin: str, since: str, until: str, knowable: bool, lake: str, as_json: bool, every: str
) -> None:
    """Liquidations interval by interval: how many, how fast, and the market around them."""
    step = length(every)
    with open_lake(lake) as con:
        answer = liquidation_flow(con, coin, moment(since), moment(until), step, knowable)
    _print(answer, FLOW_SHOWN, as_json)


@click.command(name="cascades")
@_span_options
def cascades_(
    coin: str, since: str, until: str, knowable: bool, lake: str, as_json: bool
) -> None:
    """Cascades that happened: when, how much, how far the price went and came back."""
    with open_lake(lake) as con:
        answer = cascades(con, coin, moment(since), moment(until), knowable)
    _print(answer, CASCADES_SHOWN, as_json)


def _print(answer: Answer, shown: tuple[str, ...], as_json: bool) -> None:
    if as_json:
        print_json(answer.columns, answer.rows)
    elif answer.rows:
        some = answer.of(shown)
        print_table(some.columns, some.rows[:MOST_ROWS])
        if len(some.rows) > MOST_ROWS:
            say(f"… and more: the first {MOST_ROWS} rows are shown; --json prints all")
    say(answer.basis)
