"""This module puts the sections of a study's page together, the verdict first."""

from backtest.report.capacity import capacity_section
from backtest.report.card import card_section
from backtest.report.cascades import cascades_section
from backtest.report.costs import costs_section
from backtest.report.equity import equity_section
from backtest.report.excursions import excursions_section
from backtest.report.facts import Facts
from backtest.report.head import contents, head, title
from backtest.report.months import months_section
from backtest.report.notes import notes_section
from backtest.report.placebos import placebos_section
from backtest.report.readings import ratio_section, readings_section
from backtest.report.sturdy import sturdy_section
from backtest.report.surface_section import surface_section
from backtest.report.trades import trades_section
from warehouse.report.document import document
from warehouse.report.markup import element, text
from warehouse.report.plots import Plots


def page(facts: Facts) -> str:
    """Return the whole page as HTML."""
    plots, found = Plots(), facts.findings
    parts = [
        (
            "result",
            "Result",
            [equity_section(facts, plots), readings_section(found), months_section(found)],
        ),
        ("trades", "Trades", [trades_section(facts, plots), excursions_section(facts, plots)]),
        (
            "doubts",
            "Doubts",
            [
                placebos_section(facts, plots),
                surface_section(facts, plots),
                element("div", ratio_section(found), sturdy_section(found), class_="halves"),
                cascades_section(found, plots),
            ],
        ),
        (
            "costs",
            "Costs",
            [
                element(
                    "div",
                    costs_section(found),
                    capacity_section(found, plots),
                    class_="halves",
                )
            ],
        ),
        ("notes", "Notes", [notes_section(facts)]),
        ("card", "Card", [card_section(facts)]),
    ]
    body = text(
        [
            head(facts),
            contents([(target, name) for target, name, _ in parts]),
            element(
                "main",
                [
                    element("section", element("h2", name), content, id=target)
                    for target, name, content in parts
                ],
            ),
        ]
    )
    return document(f"{title(facts)} · undertow", body, plots)
