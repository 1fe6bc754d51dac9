"""This module puts the parts of the page together."""

from collections.abc import Sequence

import polars as pl

from warehouse.report.assumptions import assumptions
from warehouse.report.backtest_facts import Backtests
from warehouse.report.backtest_section import coin_backtests
from warehouse.report.backtest_summary import backtest_summary
from warehouse.report.coin_facts import CoinFacts
from warehouse.report.coin_section import coin_section
from warehouse.report.document import document
from warehouse.report.header import header
from warehouse.report.markup import Html, element, text
from warehouse.report.plots import Plots
from warehouse.report.window import Window


def page(
    title: str,
    coins: Sequence[CoinFacts],
    window: Window,
    backtests: Backtests,
    tables: pl.DataFrame,
) -> str:
    """Return the whole page as HTML."""
    plots = Plots()
    market = tables.filter(pl.col("table_name") != "backtest_runs")
    names = [facts.coin for facts in coins]
    body = text(
        [
            header(title, coins, window, set(market["source"])),
            _tabs(names),
            element(
                "main",
                [_panel(number, facts, window, plots) for number, facts in enumerate(coins)],
                backtest_summary(backtests, names),
                [
                    element("div", coin_backtests(backtests, name, plots), data_panel=name)
                    for name in names
                ],
                assumptions(coins, window, backtests, tables),
            ),
        ]
    )
    return document(title, body, plots)


def _tabs(names: list[str]) -> Html:
    buttons = [
        element(
            "button",
            name,
            type="button",
            role="tab",
            data_tab=name,
            id=f"tab-{number}",
            aria_controls=f"coin-{number}",
        )
        for number, name in enumerate(names)
    ]
    links = [
        element("a", said, href=f"#{target}")
        for said, target in (("Backtest", "backtest"), ("Assumptions", "assumptions"))
    ]
    return element(
        "nav",
        element("div", buttons, role="tablist", aria_label="Coin", class_="tabs"),
        element("div", links, class_="links"),
    )


def _panel(number: int, facts: CoinFacts, window: Window, plots: Plots) -> Html:
    return element(
        "div",
        element("h2", facts.coin),
        coin_section(facts, window, plots),
        data_panel=facts.coin,
        id=f"coin-{number}",
        role="tabpanel",
        aria_labelledby=f"tab-{number}",
    )
