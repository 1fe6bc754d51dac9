"""This module draws the placebos' mean attempts, with the strategy's on them."""

from html import escape

import plotly.graph_objects as go
import polars as pl

from backtest.findings.against import Against
from backtest.report.facts import Facts
from backtest.report.say import mean, number, span
from warehouse.report import words
from warehouse.report.markup import Html, element, nothing, panel, rows_table
from warehouse.report.plots import Plots
from warehouse.report.theme import MUTED, VARIANTS, figure

TITLE = "Against placebos"
# What was put in the map's place, as a reader may not know it.
MEANING = {
    "random times": "its entries, moved to times drawn by lot",
    "mirrored": "the map turned over at the price: longs where shorts were",
    "shuffled": "maps of other moments, moved to the price, drawn by lot",
    "distance only": "clusters at the usual distance, the same above and below",
    "yesterday": "what was there a day before",
}
# A box of more draws than this shows no single ones.
MOST_POINTS = 400


def placebos_section(facts: Facts, plots: Plots) -> Html:
    """Return each placebo with its draws, and the strategy as a line through all."""
    held = [one for one in facts.findings.placebos if one.draws]
    own = facts.findings.readings[0].mean
    if not held:
        return panel(
            TITLE, nothing("No placebo was drawn: undertow backtest --draws 200 draws them.")
        )
    said = (
        "The same rule on what means nothing, pessimistic reading. If it does as well there, "
        "what it earns is not the map’s doing. Each point is the mean attempt of one draw; the "
        "line is the strategy’s own."
    )
    return panel(
        TITLE,
        element("p", said, class_="caption"),
        plots.add(_figure(facts, held, own), "Mean attempts of the placebos"),
        rows_table(
            ["Placebo", "What it is", "Draws", "Mean", "5 % to 95 % of draws", "p: not better"],
            [_row(one) for one in facts.findings.placebos],
            "stack",
        ),
    )


def _row(one: Against) -> list[object]:
    spread = "one draw only" if one.quantiles is None else span(*one.quantiles[::4])
    return [
        element("b", one.name),
        MEANING.get(one.name, "not described"),
        f"{one.draws:,}",
        mean(one.mean),
        spread if one.draws else "no attempts",
        number(one.p),
    ]


def _figure(facts: Facts, held: list[Against], own: float | None) -> go.Figure:
    made = figure(96 + 54 * len(held), hovermode="closest")
    # The first placebo stands on top.
    for place, one in enumerate(reversed(held)):
        rows = facts.placebos.filter(
            pl.col("placebo") == one.name, pl.col("mean_attempt").is_not_null()
        )
        values = (rows["mean_attempt"] * 100).round(5).to_list()
        colour = VARIANTS[2]
        if len(values) == 1:
            made.add_scatter(
                x=values,
                y=[place],
                mode="markers",
                marker={"symbol": "diamond", "size": 12, "color": colour},
                hovertemplate="%{x:+.3f} %<extra></extra>",
            )
            continue
        made.add_box(
            x=values,
            y=[place] * len(values),
            orientation="h",
            boxpoints="all" if len(values) <= MOST_POINTS else False,
            jitter=0.6,
            pointpos=0,
            width=0.6,
            marker={"color": "rgba(90,169,255,0.45)", "size": 4},
            line={"color": colour, "width": 1.4},
            fillcolor="rgba(90,169,255,0.10)",
            hovertemplate="%{x:+.3f} %<extra></extra>",
        )
    made.update_layout(
        margin={"l": 104, "r": 16, "t": 34, "b": 40},
        xaxis={"ticksuffix": " %", "nticks": 7, "zeroline": True},
        yaxis={
            "tickvals": list(range(len(held))),
            "ticktext": [escape(one.name).replace(" ", "<br>") for one in reversed(held)],
            "range": [-0.6, len(held) - 0.4],
            "fixedrange": True,
        },
    )
    if own is not None:
        made.add_vline(100 * own, line={"color": VARIANTS[1], "width": 2.4})
        made.add_annotation(
            text=f"strategy {words.pct(100 * own, 3, signed=True)}",
            x=100 * own,
            y=1.0,
            yref="paper",
            yanchor="bottom",
            showarrow=False,
            font={"size": 12, "color": VARIANTS[1]},
        )
    made.add_annotation(
        text="mean attempt",
        x=1,
        xref="paper",
        xanchor="right",
        y=0,
        yref="paper",
        yanchor="bottom",
        showarrow=False,
        font={"size": 11, "color": MUTED},
    )
    return made
