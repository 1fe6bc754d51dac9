"""This module writes what each calendar month earned."""

from backtest.findings.find import Findings
from backtest.report.say import mean
from warehouse.report import words
from warehouse.report.markup import Html, element, panel, rows_table


def months_section(findings: Findings) -> Html:
    """Return one row a month, pessimistic reading, with a bar as long as what it earned."""
    most = max((abs(one.earned) for one in findings.months), default=0.0)
    rows = [
        [
            one.month,
            f"{one.days}",
            f"{one.attempts:,}",
            f"{one.trades:,}",
            mean(one.mean),
            [words.pct(100 * one.earned, 2, signed=True), bar(one.earned, most)],
        ]
        for one in findings.months
    ]
    head = ["Month", "Days", "Attempts", "Trades", "Mean attempt", "Of the start equity"]
    return panel(
        "Month by month",
        element(
            "p",
            "UTC, pessimistic reading. Attempts are of the month they entered in; what a month "
            "earned is the change of equity in it.",
            class_="caption",
        ),
        rows_table(head, rows, "stack figures bars"),
    )


def bar(value: float, most: float) -> Html | None:
    """Return a bar as long as a value's part of the largest; None: it is 0."""
    if not value:
        return None
    kind = "long" if value > 0 else "short"
    width = 100 * abs(value) / most
    inner = element("i", class_=f"bar {kind}", style=f"width:{width:.1f}%")
    return element("span", inner, class_="track", aria_hidden="true")
