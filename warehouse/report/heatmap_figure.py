"""This module draws the map through time, with the price on it and what was liquidated."""

from datetime import datetime, timedelta

import numpy as np
import plotly.graph_objects as go
import polars as pl

from warehouse.kernels.buckets import bucket_low, buckets_of
from warehouse.report import map_figure, words
from warehouse.report.coin_facts import WIDTH_PCT, CoinFacts, column_ends
from warehouse.report.price_bars import closes
from warehouse.report.price_range import PriceRange, heatmap_range
from warehouse.report.theme import (
    GRID,
    HEAT,
    MUTED,
    PANEL,
    PRICE,
    SIDES,
    figure,
    name_heights,
    price_hover,
)
from warehouse.report.window import Window

# The strip takes its part of the height; what is left is as high as the map beside it, so that
# the two can be read across.
MARGIN = {"l": 62, "r": 14, "t": 34, "b": 44}
PRICE_PART = 0.86
STRIP_PART = 0.085
HEIGHT = round((map_figure.HEIGHT - 78) / PRICE_PART) + 78
# The scale is clipped to this many powers of ten below the largest cell.
DECADES = 2.5


def heatmap_figure(facts: CoinFacts, window: Window) -> go.Figure | None:
    """Return the heatmap of one coin; None where there is nothing to draw."""
    shown = heatmap_range(facts)
    if shown is None or not facts.columns.height or window.until is None:
        return None
    made = figure(HEIGHT, hovermode="closest")
    heat = _heat(facts, shown, window.until)
    if heat is not None:
        made.add_trace(heat)
    for trace in _price(facts, window):
        made.add_trace(trace)
    for trace in _realised(facts):
        made.add_trace(trace)
    made.add_trace(_accounts(facts.columns, window.until))
    _dress(made, facts, shown, window)
    return made


def _heat(facts: CoinFacts, shown: PriceRange, until: datetime) -> go.Heatmap | None:
    """Return the cells; edges are given, so that a hole in time stays a hole."""
    first, last = buckets_of(np.array([shown.low, shown.high]), WIDTH_PCT)
    cells = facts.cells.with_columns(
        bucket=pl.Series(
            buckets_of(facts.cells["px_low"].to_numpy(), WIDTH_PCT), dtype=pl.Int64
        ),
        notional=pl.col("long_notional") + pl.col("short_notional"),
    ).filter(pl.col("bucket").is_between(first, last))
    if not cells.height:
        return None
    edges, place = _time_edges(facts.columns, until)
    amount = np.zeros((last - first + 1, len(edges) - 1))
    said = np.full(amount.shape, None, dtype=object)
    for cell in cells.iter_rows(named=True):
        at = cell["bucket"] - first, place[cell["snapshot_ts"]]
        amount[at] = cell["notional"]
        said[at] = _said(cell)
    top = float(np.log10(amount.max()))
    with np.errstate(divide="ignore"):
        power = np.round(np.log10(amount), 2)
    return go.Heatmap(
        name="liquidation notional",
        x=edges,
        y=[float(f"{bucket_low(b, WIDTH_PCT):.7g}") for b in range(first, last + 2)],
        z=[[None if np.isneginf(z) else z for z in row] for row in power.tolist()],
        text=said.tolist(),
        hovertemplate="%{text}<br>around %{y:,.4~r}, %{x|%d %b %H:%M} UTC<extra></extra>",
        hoverongaps=False,
        colorscale=HEAT,
        zmin=top - DECADES,
        zmax=top,
        showscale=False,
    )


def _time_edges(
    columns: pl.DataFrame, until: datetime
) -> tuple[list[datetime], dict[datetime, int]]:
    """Return the edges of the columns in time, and the column of each snapshot."""
    starts = columns["snapshot_ts"].to_list()
    edges, place = [], {}
    for start, end in zip(starts, column_ends(columns, until), strict=True):
        if edges and edges[-1] == start:
            edges.pop()
        place[start] = len(edges)
        edges += [start, end]
    return edges, place


def _said(cell: dict) -> str:
    """Return a cell in words; short, for there are tens of thousands of them."""
    sides = [
        f"{words.usd(cell[f'{side}_notional'])} {side}s"
        for side in SIDES
        if cell[f"{side}_notional"]
    ]
    return f"{', '.join(sides)}, {words.count(cell['positions'], 'position')}"


def _price(facts: CoinFacts, window: Window) -> list[go.Scatter]:
    """Return the price: closes of the bars, or the marks of the snapshots without any."""
    if facts.bars.height:
        times, prices = closes(facts.bars, window.since, window.until)
        name = f"{facts.bars['venue'][0]} close"
    else:
        times, prices = facts.marks["snapshot_ts"].to_list(), facts.marks["px"].to_list()
        name = "mark"
    common = {"x": times, "y": prices, "mode": "lines"}
    return [
        go.Scatter(**common, line={"color": PANEL, "width": 4.5}, hoverinfo="skip"),
        go.Scatter(
            **common,
            name=name,
            line={"color": PRICE, "width": 1.8},
            hovertemplate=price_hover(name),
        ),
    ]


def _realised(facts: CoinFacts) -> list[go.Scatter]:
    """Return what was liquidated: one triangle a stretch of time and side."""
    happened = facts.liquidations.filter(pl.col("notional") > 0)
    stretch = timedelta(hours=facts.liquidation_hours)
    largest = happened["notional"].max()
    traces = []
    for side, symbol in (("long", "triangle-down"), ("short", "triangle-up")):
        rows = happened.filter(pl.col("side") == side)
        if not rows.height:
            continue
        traces.append(
            go.Scatter(
                name=f"liquidated {side}s",
                x=(rows["start_ts"] + stretch / 2).to_list(),
                y=rows["px"].to_list(),
                mode="markers",
                marker={
                    "symbol": symbol,
                    "color": SIDES[side],
                    "opacity": 0.9,
                    "line": {"color": PANEL, "width": 1},
                    "size": (5 + 17 * (rows["notional"] / largest).sqrt()).round(1).to_list(),
                },
                hovertext=[
                    f"<b>{words.usd(row['notional'])}</b> of {side}s were liquidated<br>"
                    f"{words.count(row['liquidations'], 'trade')} in "
                    f"{words.length(stretch)} from {words.utc(row['start_ts'])}"
                    for row in rows.iter_rows(named=True)
                ],
                hovertemplate="%{hovertext}<extra></extra>",
            )
        )
    return traces


def _accounts(columns: pl.DataFrame, until: datetime) -> go.Scatter:
    """Return how many accounts each snapshot saw: a change there is no change of leverage."""
    times, seen = [], []
    rows = zip(
        columns["snapshot_ts"], column_ends(columns, until), columns["accounts"], strict=True
    )
    for start, end, accounts in rows:
        if times and times[-1] < start:
            times.append(times[-1])
            seen.append(None)
        times += [start, end]
        seen += [accounts, accounts]
    return go.Scatter(
        name="accounts seen",
        x=times,
        y=seen,
        yaxis="y2",
        mode="lines",
        line={"color": MUTED, "width": 1.2, "shape": "hv"},
        fill="tozeroy",
        fillcolor="rgba(147,164,182,0.16)",
        hovertemplate="%{y:,} accounts seen<extra></extra>",
    )


def _dress(made: go.Figure, facts: CoinFacts, shown: PriceRange, window: Window) -> None:
    most = facts.columns["accounts"].max() or 1
    made.update_layout(
        margin=MARGIN,
        xaxis={"range": [window.since, window.until], "type": "date", "anchor": "y2"},
        yaxis={
            "range": [shown.low, shown.high],
            "domain": [1 - PRICE_PART, 1],
            "tickformat": ",~r",
            "nticks": 12,
        },
        yaxis2={
            "domain": [0, STRIP_PART],
            "range": [0, most * 1.15],
            "tickvals": [0, most],
            "gridcolor": GRID,
            "tickfont": {"color": MUTED, "size": 11},
            "fixedrange": True,
        },
    )
    name_heights(made, "accounts seen", STRIP_PART)
    if window.since < window.at < window.until:
        made.add_vline(window.at, line={"color": MUTED, "width": 1.2, "dash": "dash"})


def colour_scale(made: go.Figure) -> tuple[float, float] | None:
    """Return the notional (USD) of the darkest and the brightest colour; None: no cells."""
    heat = next((trace for trace in made.data if trace.type == "heatmap"), None)
    return None if heat is None else (10**heat.zmin, 10**heat.zmax)
