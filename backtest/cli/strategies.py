"""This module is the verb ``undertow backtest strategies``."""

from __future__ import annotations

import click

from warehouse.cli import json_option
from warehouse.terminal import print_json, print_table


@click.command()
@json_option
def strategies(as_json: bool) -> None:
    """List the strategies, their claims and their parameters."""
    from backtest.strategies.catalogue import described

    rows = list(described())
    columns = ("strategy", "kind", "parameters", "what it does")
    if as_json:
        print_json(columns, rows)
    else:
        print_table(columns, rows)
