"""This module writes what of the gross profit went where."""

from backtest.findings.find import Findings
from backtest.report.months import bar
from backtest.report.say import number
from warehouse.report import words
from warehouse.report.markup import Html, element, nothing, panel, rows_table

TITLE = "Where the profit went"


def costs_section(findings: Findings) -> Html:
    """Return gross profit, each cost, and what is left."""
    found = findings.costs
    if found is None:
        return panel(TITLE, nothing("No trade was made, so nothing was earned or charged."))
    parts = (
        ("Gross, before costs", found.gross),
        ("Fees", -found.fees),
        ("Funding", -found.funding),
        ("Slippage", -found.slippage),
        ("Margin lost in liquidations", -found.forfeit),
        ("Net", found.net),
    )
    most = max(abs(amount) for _, amount in parts)
    rows = [
        [
            element("b", name) if name == "Net" else name,
            words.usd(amount or 0.0),
            number(1e4 * amount / found.notional, 2, signed=True) if amount else "0",
            bar(amount, most),
        ]
        for name, amount in parts
    ]
    return panel(
        TITLE,
        element(
            "p",
            "All coins, pessimistic reading: costs are below 0, what was received above. "
            f"{words.usd(found.notional)} were entered in all; bp are of that.",
            class_="caption",
        ),
        rows_table(["", "USD", "bp", "\N{NO-BREAK SPACE}"], rows, "bars figures split"),
    )
