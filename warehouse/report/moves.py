"""This module writes what a move would trigger: scenarios, regime and clusters of one coin."""

import polars as pl

from warehouse.report import words
from warehouse.report.coin_facts import CoinFacts
from warehouse.report.markup import Html, element, nothing, panel, rows_table
from warehouse.report.price_range import map_range
from warehouse.report.verdicts import support, tilt

MOST_CLUSTERS = 8
REGIMES = (("symmetric", "under 2×"), ("tilted", "2× to 4×"), ("fragile", "over 4×"))


def scenarios(facts: CoinFacts) -> Html:
    """Return what falls and rises would trigger."""
    title = "What a move would trigger"
    if not facts.scenarios.height:
        return panel(title, nothing(tilt(facts)))
    most = facts.scenarios["notional"].max() or 1.0
    rows = []
    # From the highest price to the lowest, as on the chart.
    ordered = facts.scenarios.sort("target_px", descending=True)
    for row in ordered.iter_rows(named=True):
        sign, side = ("+", "short") if row["direction"] == "up" else (words.MINUS, "long")
        bar = element(
            "i", class_=f"bar {side}", style=f"width:{100 * row['notional'] / most:.1f}%"
        )
        rows.append(
            [
                element("b", f"{sign}{row['pct']}{words.SPACE}%", class_=side),
                words.px(row["target_px"]),
                [
                    element("span", words.usd(row["notional"])),
                    element("div", bar, class_="track"),
                ],
                words.count(row["positions"], row["side"]),
            ]
        )
    return panel(
        title,
        rows_table(["Move", "To price", "Forced to close", "Positions"], rows, "scenarios"),
        element(
            "p",
            "Static: the move is given, and what the forced orders would do to the price is "
            "not added. Positions already past the mark are included.",
            class_="note",
        ),
    )


def regime(facts: CoinFacts) -> Html:
    """Return how evenly leverage within reach lies on the two sides."""
    title = "Regime"
    if facts.regime is None or facts.regime["regime"] is None:
        return panel(title, nothing(tilt(facts)))
    row = facts.regime
    zones = [
        element(
            "li",
            element("b", name),
            element("span", ratio),
            class_=f"{name} here" if name == row["regime"] else name,
        )
        for name, ratio in REGIMES
    ]
    said = "one side only" if row["ratio"] is None else f"{row['ratio']:.2f}×"
    return panel(
        title,
        element(
            "p",
            element("b", said, class_="big"),
            f" larger over smaller side within ±{row['within_pct']} %",
        ),
        element("ol", zones, class_="zones"),
        element("p", tilt(facts), " ", support(facts)),
        element(
            "p",
            f"Longs {words.usd(row['long_notional'])}, shorts "
            f"{words.usd(row['short_notional'])} within ±{row['within_pct']} %. The regime "
            "says how even the map is. It does not say which way the price will go.",
            class_="note",
        ),
    )


def clusters(facts: CoinFacts) -> Html | None:
    """Return the largest clusters in the range drawn, from the highest price down."""
    if facts.mark is None:
        return None
    shown = map_range(facts.mark)
    near = facts.clusters.filter(pl.col("px").is_between(shown.low, shown.high, closed="left"))
    if not near.height:
        return None
    rows = [
        [
            element("b", f"{row['side']}s", class_=row["side"]),
            words.px(row["px"]),
            f"{words.px(row['px_low'])}–{words.px(row['px_high'])}",
            words.pct(row["distance_pct"], signed=True),
            element("b", words.usd(row["notional"])),
            f"{row['positions']:,}",
            words.share(row["share"], 1.0),
        ]
        for row in near.head(MOST_CLUSTERS).sort("px", descending=True).iter_rows(named=True)
    ]
    head = ["Side", "Price", "Window", "From mark", "Notional", "Positions", "Share of the map"]
    return panel("Largest clusters in the range drawn", rows_table(head, rows, "stack figures"))
