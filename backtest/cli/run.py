"""This module is the verb ``undertow backtest run``: strategies with and without the map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from backtest.cli.question import question_of, question_options
from warehouse.cli import json_option, lake_option
from warehouse.terminal import print_json, print_table, progress_bar, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from backtest.answer import Answer
    from backtest.strategies.strategy import Strategy
    from backtest.study import Played

# What is replayed where nothing is asked for: the map as a filter, as a target, and as both.
DEFAULT = (
    "breakout+asymmetry_filter",
    "breakout+cluster_take_profit",
    "breakout+asymmetry_filter+cluster_take_profit",
)


@click.command()
@click.option(
    "--strategy",
    "names",
    multiple=True,
    default=DEFAULT,
    show_default=True,
    help="Entry and what is wrapped around it, or module:Class of your own.",
)
@click.option(
    "--set",
    "values",
    multiple=True,
    metavar="NAME=VALUE",
    help="Parameter: stop_pct=1.5, or asymmetry_filter.min_ratio=2.",
)
@question_options
@click.option(
    "--draws", type=int, default=200, show_default=True, help="Random placebos of each kind."
)
@lake_option
@json_option
def run(
    names: tuple[str, ...], values: tuple[str, ...], lake: str, as_json: bool, **words: Any
) -> None:
    """Replay strategies with and without the map, and say what is left of them.

    Runs, trades, equity and what was found are written into the lake: backtest_studies,
    backtest_runs, backtest_trades, backtest_equity, backtest_placebos, backtest_trials.
    """
    from backtest.answer import answer, land_answers
    from warehouse import open_lake
    from warehouse.ask import check_coin

    questions = [question_of(rule, **words) for rule in rules_of(names, values)]
    with open_lake(lake) as con:
        for coin in questions[0].coins:
            check_coin(con, coin, questions[0].until)
        with progress_bar("backtest") as progress:
            answers = answer(con, questions, progress)
    # Only now, so that a question that has no answer leaves no half of a comparison behind.
    land_answers(lake, answers)
    if as_json:
        _print_rows(answers)
    else:
        print_table(COLUMNS, list(_figures([one.played for one in answers])))
        for one in answers:
            for sentence in one.verdict:
                click.echo(sentence)
            click.echo(f"undertow report {one.study_id} draws it.")
    # Beside the rows, not among them.
    played = [one.played for one in answers]
    for remark in dict.fromkeys(said for one in played for said in (*one.gaps, *one.notes)):
        say(remark)
    for assumption in played[0].assumptions:
        say(f"Assumed: {assumption}")


def rules_of(names: Sequence[str], values: Sequence[str]) -> list[Strategy]:
    """Return the strategies of ``--strategy`` with the parameters of ``--set``.

    A parameter of a wrapper is set where the wrapper is.

    Raises
    ------
    ValueError
        If a name is not known, or a value is none of any of the strategies.
    """
    from backtest.strategies.catalogue import made

    said = {}
    for value in values:
        name, sign, text = value.partition("=")
        if not sign:
            raise ValueError(f"--set {value!r} must be NAME=VALUE, such as stop_pct=1.5")
        said[name.strip()] = text.strip()
    rules, used = [], set()
    for chain in names:
        links = chain.split("+")
        mine = {name for name in said if "." not in name or name.rpartition(".")[0] in links}
        used |= mine
        # Who names a class of their own asks for it to be imported.
        rules.append(made(chain, {name: said[name] for name in mine}, outside=True))
    if unused := sorted(set(said) - used):
        raise ValueError(f"--set {unused[0]}: no such strategy in {', '.join(names)}")
    return rules


COLUMNS = (
    "coin",
    "variant",
    "reading",
    "signals",
    "refused",
    "no map",
    "unfilled",
    "trades",
    "ambiguous",
    "return %",
    "drawdown %",
    "mean trade %",
    "hits %",
    "Sharpe",
    "fees USD",
    "funding USD",
    "slippage USD",
)


def _print_rows(answers: list[Answer]) -> None:
    from backtest.rows import run_row

    rows = [run_row(one) for one in _runs([answer.played for answer in answers])]
    print_json(list(rows[0]), [tuple(row.values()) for row in rows])


def _runs(played: list[Played]) -> list[Any]:
    """Return every run once: studies share the rule without the map."""
    runs = [run for one in played for run in one.runs]
    return list({(run.run_id, run.replay.bound): run for run in runs}.values())


def _figures(played: list[Played]) -> Iterator[tuple]:
    """Yield one row a run, readings that agree in one."""
    runs = _runs(played)
    order = {coin: place for place, coin in enumerate(played[0].question.coins)}
    runs.sort(key=lambda run: (order[run.coin], run.strategy.variant != "without map"))
    for run_id in dict.fromkeys(run.run_id for run in runs):
        read = [run for run in runs if run.run_id == run_id]
        alike = all(run.figures() == read[0].figures() for run in read)
        for run in read[:1] if alike else read:
            reading = "any" if alike else run.replay.bound
            yield run.coin, run.strategy.variant, reading, *_cells(run.figures())


def _cells(figures: dict[str, int | float | None]) -> Iterator[object]:
    """Yield a run's figures as ``COLUMNS`` names them, rounded for reading."""
    for name in ("signals", "refused", "unmapped", "unfilled", "trades", "ambiguous"):
        yield figures[name]
    for name in ("return_fraction", "max_drawdown", "mean_trade"):
        yield None if figures[name] is None else round(figures[name] * 100, 2)
    yield None if figures["hit_rate"] is None else round(figures["hit_rate"] * 100)
    yield None if figures["sharpe"] is None else round(figures["sharpe"], 1)
    for name in ("fees", "funding", "slippage"):
        yield round(figures[name], 2)
