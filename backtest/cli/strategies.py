"""This module is the verb ``undertow backtest strategies``."""

from __future__ import annotations

import click

from warehouse.cli import json_option
from warehouse.terminal import print_json, print_table

COLUMNS = ("strategy", "wraps another", "parameters", "what it does")


@click.command()
@json_option
def strategies(as_json: bool) -> None:
    """List the strategies, their parameters, and what each does."""
    from backtest.strategies.catalogue import STRATEGIES
    from backtest.strategies.strategy import Wrapper

    rows = []
    for name, kind in STRATEGIES.items():
        known = [
            f"{field.name}={field.default}"
            for field in kind.__dataclass_fields__.values()
            if field.init and field.name != "entry"
        ]
        wraps = "yes" if issubclass(kind, Wrapper) else "no"
        does = (kind.__doc__ or "").partition("\n")[0]
        rows.append((name, wraps, ", ".join(known), does))
    if as_json:
        print_json(COLUMNS, rows)
    else:
        print_table(COLUMNS, rows)
