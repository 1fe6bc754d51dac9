"""This module writes what the page says about the backtests of one coin."""

import json

import polars as pl

from warehouse.report import words
from warehouse.report.backtest_facts import Backtests
from warehouse.report.backtest_figure import backtest_figure
from warehouse.report.markup import Html, element, nothing, panel, rows_table, text
from warehouse.report.mean_trade import mean_trade
from warehouse.report.plots import Plots
from warehouse.report.theme import MARKS

HEAD = [
    "Variant",
    "Trades",
    "Return",
    "Max drawdown",
    "Mean trade",
    "Hits",
    "Exits",
    "Fees",
    "Funding",
    "Slippage",
]


def coin_backtests(backtests: Backtests, coin: str, plots: Plots) -> Html:
    """Return table and figure of each rule that was replayed on ``coin``."""
    panels = []
    for strategy, runs in backtests.studies(coin):
        drawn = backtest_figure(backtests, runs)
        name = f"{words.spelled(strategy)} on {coin}"
        panels.append(
            panel(
                f"Backtest: {name}",
                element("p", _study(runs), class_="caption"),
                rows_table(HEAD, list(_rows(backtests, runs)), "stack wide"),
                None if drawn is None else plots.add(drawn, f"Replay of {name}"),
                nothing("The lake holds no equity of these runs.")
                if drawn is None
                else element(
                    "p",
                    f"{MARKS} Solid: pessimistic reading; dotted: optimistic, dashed: by finer "
                    "bars, where they differ.",
                    class_="note",
                ),
            )
        )
    return text(panels)


def _study(runs: pl.DataFrame) -> str:
    run = runs.row(0, named=True)
    known = "maps already published then" if run["knowable"] else "maps by their own time"
    return (
        f"{words.count(run['bars'], 'bar')} of {run['interval']} on {run['venue']}, "
        f"{words.day(run['start_ts'])} to {words.day(run['end_ts'])}, {known}. "
        f"{_settings(runs)}"
    )


def _settings(runs: pl.DataFrame) -> str:
    """Return the parameters that all runs share."""
    every = [_json(given) for given in runs["parameters"]]
    first = every[0]
    alike = [key for key in first if all(one.get(key) == first[key] for one in every)]
    said = [f"{words.spelled(key)} {_setting(first[key])}" for key in alike]
    return f"Parameters: {', '.join(said)}." if said else ""


def _json(given: str) -> dict:
    try:
        read = json.loads(given)
    except json.JSONDecodeError:
        return {}
    return read if isinstance(read, dict) else {}


def _setting(value: object) -> str:
    if value is None:
        return "none"
    return f"{value:,g}" if isinstance(value, int | float) else str(value)


def _rows(backtests: Backtests, runs: pl.DataFrame) -> list[list[object]]:
    """Return one row a variant, both readings in it."""
    rows = []
    for (label,), pair in runs.group_by("label", maintain_order=True):
        by_bound = {run["bound"]: run for run in pair.iter_rows(named=True)}
        low = by_bound.get("pessimistic") or by_bound["optimistic"]
        high = by_bound.get("optimistic") or low
        trades = backtests.trades_of(low)
        rows.append(
            [
                [element("b", words.spelled(label)), _signals(low)],
                f"{low['trades']:,}",
                words.both(low["return_fraction"], high["return_fraction"]),
                words.both(low["max_drawdown"], high["max_drawdown"], signed=False),
                mean_trade(trades).said,
                words.pct(None if low["hit_rate"] is None else 100 * low["hit_rate"], 0),
                _exits(trades),
                words.usd(low["fees"]),
                words.usd(low["funding"]),
                words.usd(low["slippage"]),
            ]
        )
    return rows


def _signals(run: dict) -> Html:
    """Return what became of the signals of one run."""
    said = [words.count(run["signals"], "signal")]
    said += [
        f"{run[name]:,} {word}"
        for name, word in (
            ("refused", "refused by the map"),
            ("unmapped", "decided without a map"),
            ("unfilled", "not filled"),
        )
        if run[name]
    ]
    return element("small", ", ".join(said))


def _exits(trades: pl.DataFrame) -> str:
    counted = trades["exit_reason"].value_counts(sort=True)
    return ", ".join(f"{n}{words.SPACE}{reason}" for reason, n in counted.iter_rows()) or "none"
