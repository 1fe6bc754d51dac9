"""This module writes what the page shows of one coin."""

import plotly.graph_objects as go
import polars as pl

from warehouse.report import words
from warehouse.report.coin_facts import CoinFacts
from warehouse.report.heatmap_figure import colour_scale, heatmap_figure
from warehouse.report.map_figure import map_figure
from warehouse.report.markup import Html, element, nothing, panel, text
from warehouse.report.moves import clusters, regime, scenarios
from warehouse.report.plots import Plots
from warehouse.report.price_range import REACH, map_range, outside
from warehouse.report.theme import HEAT
from warehouse.report.window import Window


def coin_section(facts: CoinFacts, window: Window, plots: Plots) -> Html:
    """Return the map, the heatmap, the scenarios and the regime of one coin."""
    return text(
        [
            element("div", _map(facts, plots), _heatmap(facts, window, plots), class_="charts"),
            element("div", scenarios(facts), regime(facts), class_="pair"),
            clusters(facts),
        ]
    )


def _map(facts: CoinFacts, plots: Plots) -> Html:
    drawn = map_figure(facts)
    if drawn is None:
        return panel("Map at the moment", nothing(_why_no_map(facts)), class_="panel map")
    return panel(
        "Map at the moment",
        element(
            "p",
            "Bars: USD that would close in each 0.5 % of price, ",
            element("b", "longs to the left", class_="long"),
            " and ",
            element("b", "shorts to the right", class_="short"),
            ". Dotted: all that a move that far would reach (upper scale). Labels: the "
            "largest clusters, at most 1 % wide.",
            class_="caption",
        ),
        plots.add(drawn, f"Liquidation map of {facts.coin}"),
        element("p", _outside(facts), class_="note"),
        class_="panel map",
    )


def _why_no_map(facts: CoinFacts) -> str:
    if facts.coverage is None:
        return "No trusted, complete snapshot answers for this moment, so there is no map."
    if not facts.coverage["coin_positions"]:
        return f"The snapshot that answers holds no position in {facts.coin}."
    return f"No position in {facts.coin} has a liquidation price in this snapshot."


def _outside(facts: CoinFacts) -> str:
    shown = map_range(facts.mark)
    said = [
        f"{words.usd(notional)} of {side}s ({words.count(positions, 'position')})"
        for side, (notional, positions) in outside(facts.chart, shown).items()
    ]
    reach = f"±{100 * REACH:.0f}{words.SPACE}%"
    drawn = f"Drawn: {words.px(shown.low)} to {words.px(shown.high)}, {reach} of the mark."
    left_out = f" Outside it: {words.listed(said)}." if said else " Nothing lies outside it."
    unpriced = facts.coverage["coin_unpriced"] if facts.coverage else 0
    missing = (
        f" {words.count(unpriced, 'position')} without a liquidation price are on no map."
        if unpriced
        else ""
    )
    return drawn + left_out + missing


def _heatmap(facts: CoinFacts, window: Window, plots: Plots) -> Html:
    title = "Map through time"
    drawn = heatmap_figure(facts, window)
    if drawn is None:
        return panel(
            title,
            nothing("No snapshot lies in the period, so there is nothing to draw."),
            class_="panel heat",
        )
    line = (
        f"{facts.bars['venue'][0]} {facts.bars['interval'][0]} closes"
        if facts.bars.height
        else "the venue’s mark at each snapshot (the lake has no price bars here)"
    )
    return panel(
        title,
        element(
            "p",
            "Colour: USD that would close at that price, on a logarithmic scale. ",
            f"White line: {line}. ",
            _realised_words(facts),
            class_="caption",
        ),
        element(
            "div",
            _scale(drawn),
            plots.add(drawn, f"Liquidation heatmap of {facts.coin}"),
            class_="scaled",
        ),
        element("p", _sampling(facts), class_="note"),
        class_="panel heat",
    )


def _scale(drawn: go.Figure) -> Html | None:
    """Return the colours of a heatmap with the notional they stand for."""
    ends = colour_scale(drawn)
    if ends is None:
        return None
    colours = ", ".join(colour for _, colour in HEAT)
    return element(
        "div",
        element("span", f"≤ {words.usd(ends[0])}"),
        element("i", style=f"background:linear-gradient(to right, {colours})"),
        element("span", words.usd(ends[1])),
        class_="scale",
    )


def _realised_words(facts: CoinFacts) -> str:
    happened = facts.liquidations
    if not happened.height:
        return "The lake holds no liquidation fill of this coin in the period."
    sums = {
        side: happened.filter(pl.col("side") == side)["notional"].sum()
        for side in ("long", "short")
    }
    said = (
        f"Triangles: liquidations in the lake’s fills, each of {facts.liquidation_hours} h, "
        f"in all {words.usd(sums['long'])} of longs (▼) and {words.usd(sums['short'])} of "
        "shorts (▲)."
    )
    adl = happened["adl_notional"].sum()
    return said + (f" Deleveraged besides: {words.usd(adl)}, not drawn." if adl else "")


def _sampling(facts: CoinFacts) -> str:
    seen = facts.columns["accounts"]
    said = f"{words.count(facts.columns.height, 'snapshot')}, each shown until the next."
    if facts.left_out:
        said += f" {words.count(facts.left_out, 'other')} lie within a pixel of them."
    if seen.max() > 1.2 * max(seen.min(), 1):
        said += (
            f" They saw between {seen.min():,} and {seen.max():,} accounts (lower strip): "
            "where the strip steps, a new colour may be other accounts, not other leverage."
        )
    return said
