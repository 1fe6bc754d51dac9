"""This module writes whether the mean rests on its best attempts, days, or one half."""

from backtest.findings.find import Findings
from backtest.report.say import mean
from backtest.statistics.robustness import Remainder
from warehouse.report import words
from warehouse.report.markup import Html, element, nothing, panel, rows_table

TITLE = "What it rests on"


def sturdy_section(findings: Findings) -> Html:
    """Return the mean attempt without the best, and of both halves."""
    first, found = findings.readings[0], findings.sturdy
    if not first.attempts:
        return panel(TITLE, nothing("No attempt was made."))
    rows = [["All attempts", f"{first.attempts:,}", mean(first.mean), "–"]]
    rows += [
        _without(name, one, first.attempts)
        for name, one in (
            ("without the best 1 %", found.without_1_pct),
            ("without the best 5 %", found.without_5_pct),
            ("without the ten best days", found.without_10_days),
        )
    ]
    if halves := found.halves:
        middle = str(halves.middle)
        rows += [
            [f"before {middle}", f"{halves.first_count:,}", mean(halves.first), "–"],
            [f"from {middle} on", f"{halves.second_count:,}", mean(halves.second), "–"],
        ]
    head = ["Pessimistic reading", "Attempts", "Mean attempt", "Profit in what is left out"]
    return panel(
        TITLE,
        element(
            "p",
            "An edge that goes with a few attempts, a few days or one half was theirs. "
            + ("" if halves else "The period is too short to be halved."),
            class_="caption",
        ),
        rows_table(head, rows, "stack figures"),
    )


def _without(name: str, one: Remainder, attempts: int) -> list[str]:
    share = (
        "nothing was earned"
        if one.profit_share is None
        else words.pct(100 * one.profit_share, 0)
    )
    return [name, f"{attempts - one.dropped:,}", mean(one.mean, "none remain"), share]
