"""This module draws trades, how they began and how they ended, on the price of their coin."""

from html import escape

import plotly.graph_objects as go
import polars as pl

from warehouse.report import words
from warehouse.report.theme import ENTRY, EXIT, LONG, MUTED, PANEL, SHORT, price_hover

OUTLINE = {"color": PANEL, "width": 1}


def price_line(bars: pl.DataFrame, venue: str) -> go.Scatter:
    """Return the line of closes that trades are drawn on.

    Parameters
    ----------
    bars
        ``time_ts``, and ``close_px`` in USD.
    venue
        Where the bars are from; the pointer is told.
    """
    return go.Scatter(
        name="price",
        x=bars["time_ts"].to_list(),
        y=bars["close_px"].to_list(),
        mode="lines",
        line={"color": MUTED, "width": 1.3},
        hovertemplate=price_hover(venue),
        showlegend=False,
    )


def path(rows: list[dict], name: str, colour: str, **layout: object) -> go.Scatter:
    """Return a line from each trade's entry to its exit, with an entry in the legend.

    Parameters
    ----------
    rows
        Trades, with the columns of ``backtest_trades``.
    name
        What the legend calls them, not yet escaped.
    colour
        Of the lines.
    layout
        Further properties, as the group of the legend.
    """
    return go.Scatter(
        **layout,
        name=escape(name),
        x=[moment for row in rows for moment in (row["entry_ts"], row["exit_ts"], None)],
        y=[px for row in rows for px in (row["entry_px"], row["exit_px"], None)],
        mode="lines",
        line={"color": colour, "width": 1.5},
        hoverinfo="skip",
    )


def entries(rows: list[dict], said: list[str], colour: str, **layout: object) -> go.Scatter:
    """Return a mark at each entry, which points where the trade hoped to go.

    Parameters
    ----------
    rows, colour, layout
        As in :func:`path`.
    said
        Markup that the pointer is told of each trade.
    """
    symbols = [ENTRY[row["side"]] for row in rows]
    return _marks(rows, "entry", said, symbols, colour, 10, layout)


def exits(rows: list[dict], **layout: object) -> go.Scatter:
    """Return a mark at each exit: its shape is why, its colour whether the trade gained.

    Parameters
    ----------
    rows, layout
        As in :func:`path`.
    """
    said = [
        f"{escape(row['exit_reason'])} at <b>{words.px(row['exit_px'])}</b><br>"
        f"{words.pct(100 * row['return_fraction'], 2, signed=True)} after costs<br>"
        f"{words.utc(row['exit_ts'])}"
        for row in rows
    ]
    symbols = [EXIT[row["exit_reason"]] for row in rows]
    colours = [LONG if row["pnl"] > 0 else SHORT for row in rows]
    return _marks(rows, "exit", said, symbols, colours, 9, layout)


def _marks(
    rows: list[dict],
    end: str,
    said: list[str],
    symbols: list[str],
    colour: str | list[str],
    size: int,
    layout: dict,
) -> go.Scatter:
    return go.Scatter(
        **layout,
        showlegend=False,
        x=[row[f"{end}_ts"] for row in rows],
        y=[row[f"{end}_px"] for row in rows],
        mode="markers",
        marker={"symbol": symbols, "size": size, "color": colour, "line": OUTLINE},
        hovertext=said,
        hovertemplate="%{hovertext}<extra></extra>",
    )
