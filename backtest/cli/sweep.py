"""This module is the verb ``undertow backtest sweep``: one strategy under many settings."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from backtest.cli.question import question_of, question_options
from warehouse.cli import json_option, lake_option
from warehouse.terminal import print_json, print_table, progress_bar, say

if TYPE_CHECKING:
    from backtest.search.spread import Spread


@click.command()
@click.option(
    "--strategy",
    "name",
    default="breakout",
    show_default=True,
    help="Entry and what is wrapped around it, or module:Class of your own.",
)
@click.option(
    "--set",
    "words",
    multiple=True,
    required=True,
    metavar="NAME=VALUES",
    help="Parameter and what is tried: stop_pct=1,2,3; of random settings also stop_pct=1..4.",
)
@click.option(
    "--random", "draws", type=int, metavar="N", help="Draw N settings; left out: all there are."
)
@click.option(
    "--by",
    type=click.Choice(["whole", "month"]),
    default="whole",
    show_default=True,
    help="One period, or each calendar month in an account of its own.",
)
@question_options
@click.option("--best", type=int, default=10, show_default=True, help="Settings to show.")
@click.option("--yes", is_flag=True, help="Try more than a million settings.")
@click.option(
    "--runner",
    default="threads",
    show_default=True,
    help="Where: threads, dask, dask:ADDRESS or ray; a lake that all workers reach.",
)
@click.option("--workers", type=int, help="Threads or processes; left out: one a core.")
@lake_option
@json_option
@click.pass_obj
def sweep(
    runners: Callable[[str, int | None], Spread] | None,
    name: str,
    words: tuple[str, ...],
    draws: int | None,
    by: str,
    best: int,
    yes: bool,
    runner: str,
    workers: int | None,
    lake: str,
    as_json: bool,
    **asked: Any,
) -> None:
    """Try a strategy under many settings, and say what survives of the best.

    Every setting, coin and period is a trial, written into the lake as backtest_trials; a sweep
    that was stopped goes on where it was.
    """
    from backtest.search.asked import Search
    from backtest.search.keep import search
    from backtest.search.result import result_of
    from backtest.search.space import MOST, axis_of
    from backtest.strategies.catalogue import made
    from warehouse import open_lake
    from warehouse.ask import check_coin

    if best < 1:
        raise ValueError(f"--best {best} must be 1 setting or more")
    spread = _spread(runners, runner, workers)
    # Who names a class of their own asks for it to be imported.
    strategy = made(name, {}, outside=True)
    axes = tuple(axis_of(strategy, word) for word in words)
    wanted = Search(question=question_of(strategy, **asked), axes=axes, draws=draws, by=by)
    question = wanted.question
    if wanted.count > MOST and not yes:
        raise ValueError(
            f"{wanted.count:,} settings are more than {MOST:,}; draw some with --random N, or "
            "try them all with --yes"
        )
    with open_lake(lake) as con:
        for coin in question.coins:
            check_coin(con, coin, question.until)
    if left_out := wanted.count - len(wanted.settings):
        say(
            f"{left_out} of {wanted.count} settings are left out: drawn twice, or such as the "
            "rule does not allow"
        )
    with _shown() as progress:
        kept = search(lake, wanted, spread=spread, progress=progress)
    found = result_of(lake, wanted, kept)
    rows = list(found.rows(best))
    if as_json:
        print_json(found.columns, rows)
    else:
        print_table(found.columns, rows)
    for sentence in found.sentences:
        (say if as_json else click.echo)(sentence)


def _spread(
    runners: Callable[[str, int | None], Spread] | None, runner: str, workers: int | None
) -> Spread:
    """Return where chunks are worked; the front door knows of clusters."""
    from functools import partial

    from backtest.search.spread import in_threads

    if workers is not None and workers < 1:
        raise ValueError(f"--workers {workers} must be 1 or more")
    if runner == "threads":
        return partial(in_threads, threads=workers)
    if runners is None:
        raise ValueError(
            f"--runner {runner} needs the command undertow; here are threads alone"
        )
    return runners(runner, workers)


@contextmanager
def _shown() -> Iterator[Callable[[int, int], None]]:
    """Show how many settings are done and, from their pace, how long the rest will take."""
    began: list[tuple[float, int]] = []
    with progress_bar("sweep") as bar:

        def progress(done: int, total: int) -> None:
            now = time.monotonic()
            if not began:
                began.append((now, done))
                if done:
                    say(f"sweep: goes on, {done} of {total} trials are in the lake")
            since, first = began[0]
            left = ""
            if done > first:
                seconds = (now - since) * (total - done) / (done - first)
                left = f"{seconds:.0f} s left"
            bar(left, done, total)

        yield progress
