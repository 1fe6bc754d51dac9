"""This module says what the backtests charged."""

import json

import polars as pl

from warehouse.report import words


def costs_in_words(runs: pl.DataFrame) -> list[str]:
    """Return what fees and funding came to, and the settings they were charged by.

    Parameters
    ----------
    runs
        Rows of ``backtest_runs``, at least one.
    """
    first = runs.filter(pl.col("bound") == "pessimistic")
    said = [
        "Charged over all runs (pessimistic reading): "
        f"{words.usd(first['fees'].sum())} of fees, {words.usd(first['funding'].sum())} of "
        "funding (negative: received)."
    ]
    settings = runs["costs"].unique(maintain_order=True).to_list()
    said += [f"Costs as set: {_spelled(one)}." for one in settings[:3]]
    if len(settings) > 3:
        said.append(f"{len(settings) - 3} more settings of costs are in `backtest_runs`.")
    return said


def _spelled(given: str) -> str:
    """Return a JSON object as words; what is no object stays as it is."""
    try:
        read = json.loads(given)
    except json.JSONDecodeError:
        return given
    if not isinstance(read, dict):
        return given
    return ", ".join(f"{words.spelled(key)} {value}" for key, value in read.items())
