"""This module asks a lake, draws, and puts the report in its place."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from warehouse.catalog import open_lake
from warehouse.report import words
from warehouse.report.backtest_facts import read_backtests
from warehouse.report.coin_facts import ask, read_coin
from warehouse.report.document import put
from warehouse.report.page import page
from warehouse.report.window import choose_window


def write_report(
    lake: Path | str,
    to: Path,
    coins: Sequence[str],
    at: datetime | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    title: str | None = None,
) -> Path:
    """Write one self-contained HTML file about some coins of a lake.

    Parameters
    ----------
    lake
        Folder of the lake; it is only read.
    to
        File to write.  A reader sees the old file or the new one, never half of one.
    coins
        Venue symbols, in the order of the page.
    at
        Moment whose map is shown, UTC; None: the newest for which a snapshot answers.
    since, until
        Period of the charts through time, UTC, half-open; None: the days of the snapshots.
    title
        Title of the page; None: one that names the coins.

    Returns
    -------
    Path
        ``to``.

    Raises
    ------
    ValueError
        If no coin is asked for, one twice, or ``since`` is not before ``until``.
    NoLake
        If there is no lake.
    """
    coins = list(coins)
    if not coins:
        raise ValueError("coins is empty: a report needs at least one coin")
    if twice := sorted({coin for coin in coins if coins.count(coin) > 1}):
        raise ValueError(f"coins names {twice[0]} more than once")
    con = open_lake(lake)
    try:
        window = choose_window(con, coins, at, since, until)
        html = page(
            title=title or f"Liquidation map of {words.listed(coins)}",
            coins=[read_coin(con, coin, window) for coin in coins],
            window=window,
            backtests=read_backtests(con, coins),
            tables=ask(con, "lake_tables"),
        )
    finally:
        con.close()
    put(Path(to), html)
    return Path(to)
