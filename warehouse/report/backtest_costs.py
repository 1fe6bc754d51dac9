"""This module says what the backtests charged."""

import json

import polars as pl

from warehouse.report import words


def costs_in_words(runs: pl.DataFrame) -> list[str]:
    """Return what costs came to, the settings they were charged by, and what slippage rests on.

    Parameters
    ----------
    runs
        Rows of ``backtest_runs``, at least one.
    """
    first = runs.filter(pl.col("bound") == "pessimistic")
    said = [
        "Charged over all runs (pessimistic reading): "
        f"{words.usd(first['fees'].sum())} of fees, {words.usd(first['funding'].sum())} of "
        f"funding (negative: received), {_slippage(first)} of slippage."
    ]
    given = runs.select("coin", "costs").unique(maintain_order=True)
    read = [(coin, *_parted(costs)) for coin, costs in given.iter_rows()]
    settings = list(dict.fromkeys(spelled for _, spelled, _ in read))
    said += [f"Costs as set: {one}." for one in settings[:3]]
    if len(settings) > 3:
        said.append(f"{len(settings) - 3} more settings of costs are in `backtest_runs`.")
    bases = dict.fromkeys((coin, basis) for coin, _, basis in read if basis is not None)
    said += [f"Slippage of {coin}: {basis}." for coin, basis in bases]
    return said


def _slippage(runs: pl.DataFrame) -> str:
    """Return what slippage came to, where every run says so."""
    return words.usd(None if runs["slippage"].null_count() else runs["slippage"].sum())


def _parted(given: str) -> tuple[str, str | None]:
    """Return a JSON object as words, and apart what slippage rests on.

    What is no object stays as it is.
    """
    try:
        read = json.loads(given)
    except json.JSONDecodeError:
        return given, None
    if not isinstance(read, dict):
        return given, None
    basis = read.pop("slippage_basis", None)
    return ", ".join(f"{words.spelled(key)} {value}" for key, value in read.items()), basis
