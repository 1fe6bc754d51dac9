"""This module is the verb ``undertow backtest``: a rule with and without the map."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from warehouse.cli import json_option, lake_option
from warehouse.terminal import print_json, print_table, progress_bar, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backtest.study import Study


def as_moment(text: str, option: str) -> datetime:
    """Return a UTC date or an ISO moment as a UTC time.

    >>> as_moment("2026-02-03", "--from").isoformat()
    '2026-02-03T00:00:00+00:00'
    >>> as_moment("2026-02-03T02:00+02:00", "--from").isoformat()
    '2026-02-03T00:00:00+00:00'
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{option} {text!r} is neither a date such as 2026-02-03 nor a moment such as "
            "2026-02-03T12:00Z"
        ) from None
    if not 2000 <= moment.year < 2200:  # beyond, time zones and warm-up leave the calendar
        raise ValueError(f"{option} {text!r} is no time of this market; years are 2000 to 2199")
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC)


def as_coins(values: tuple[str, ...]) -> list[str]:
    """Return the coins of a repeated option or a comma list, each once.

    >>> as_coins(("BTC,ETH", "SOL", "BTC"))
    ['BTC', 'ETH', 'SOL']
    """
    names = (name.strip() for value in values for name in value.split(","))
    return list(dict.fromkeys(name for name in names if name))


@click.command("backtest")
@click.option(
    "--coin", "coins", multiple=True, required=True, help="Coin, or several: BTC,ETH."
)
@click.option("--from", "since", required=True, help="First day or moment, UTC.")
@click.option("--to", "until", required=True, help="Day or moment after the last, UTC.")
@click.option("--venue", help="Whose candles; left out: Hyperliquid's, or the fullest.")
@click.option(
    "--knowable/--as-if-live",
    default=True,
    show_default=True,
    help="Use maps from their publication on, or from the moment they describe.",
)
@click.option("--no-funding", is_flag=True, help="Leave funding out of the costs.")
@click.option("--no-slippage", is_flag=True, help="Leave slippage out of the costs.")
@click.option(
    "--taker-bps",
    type=float,
    default=4.5,
    show_default=True,
    help="Fee of orders that take, basis points; the default is the venue's base tier.",
)
@click.option(
    "--maker-bps",
    type=float,
    default=1.5,
    show_default=True,
    help="Fee of orders that rested; below 0: a rebate.",
)
@lake_option
@json_option
def backtest(
    coins: tuple[str, ...],
    since: str,
    until: str,
    venue: str | None,
    knowable: bool,
    no_funding: bool,
    no_slippage: bool,
    taker_bps: float,
    maker_bps: float,
    lake: str,
    as_json: bool,
) -> None:
    """Replay a breakout rule with and without the liquidation map.

    Runs, trades and equity are written into the lake as backtest_runs, backtest_trades and
    backtest_equity.
    """
    from backtest.rows import land_runs
    from backtest.study import run_study, verdicts
    from backtest.terms import Costs
    from warehouse import open_lake
    from warehouse.ask import check_coin

    names = as_coins(coins)
    if not names:
        raise ValueError("--coin must name at least one coin")
    # Rounded, for costs are written beside a run and 2.4 / 1e4 is 0.00023999999999999998.
    costs = Costs(
        round(taker_bps / 1e4, 12),
        round(maker_bps / 1e4, 12),
        funding="none" if no_funding else "charged",
        slippage="none" if no_slippage else "charged",
    )
    start, end = as_moment(since, "--from"), as_moment(until, "--to")
    with open_lake(lake) as con:
        for coin in names:
            check_coin(con, coin, end)
    asked = {"knowable": knowable, "venue": venue, "costs": costs}
    studies = []
    with progress_bar("backtest") as progress:
        for number, coin in enumerate(names):
            progress(coin, number, len(names))
            studies.append(run_study(lake, coin, start, end, write=False, **asked))
        progress("done", len(names), len(names))
    # Only now, so that a coin that cannot be replayed leaves no half of a comparison behind.
    for study in studies:
        land_runs(lake, study.runs)
    if as_json:
        _print_rows(studies)
    else:
        print_table(COLUMNS, [row for study in studies for row in _figures(study)])
        for sentence in verdicts(studies):
            click.echo(sentence)
    # Beside the rows, not among them.
    remarks = [remark for study in studies for remark in (*study.gaps, *study.notes)]
    for remark in dict.fromkeys(remarks):
        say(remark)
    for assumption in studies[0].assumptions:
        say(f"Assumed: {assumption}")


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


def _print_rows(studies: list[Study]) -> None:
    from backtest.rows import run_row

    rows = [run_row(run) for study in studies for run in study.runs]
    print_json(list(rows[0]), [tuple(row.values()) for row in rows])


def _figures(study: Study) -> Iterator[tuple]:
    """Yield one row per variant, or two where the readings of ambiguous bars differ."""
    from backtest.replay import BOUNDS
    from backtest.rule import VARIANTS

    for variant in VARIANTS:
        runs = [study.run(variant.name, bound) for bound in BOUNDS]
        if runs[0].figures() == runs[1].figures():
            yield study.coin, variant.name, "either", *_cells(runs[0].figures())
        else:
            for run in runs:
                yield study.coin, variant.name, run.replay.bound, *_cells(run.figures())


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
