"""This module draws each coin's price with the trades on it, and the clusters they aimed at."""

import plotly.graph_objects as go
import polars as pl

from backtest.report.facts import Facts
from warehouse.report import words
from warehouse.report.markup import Html, element, nothing, panel, text
from warehouse.report.plots import Plots
from warehouse.report.theme import (
    LONG,
    MARKS,
    SHORT,
    VARIANTS,
    figure,
)
from warehouse.report.trade_marks import entries, exits, path, price_line

HEIGHT = 440
# More marks than this are slow to draw and cannot be told apart.
MOST_TRADES = 300
CLUSTER, ENTERED = VARIANTS[1], VARIANTS[2]
LEVELS = (
    ("stop_px", "stop", SHORT, "dot", "legendonly"),
    ("target_px", "target", LONG, "dot", "legendonly"),
    ("cluster_px", "cluster aimed at", CLUSTER, "solid", True),
)


def trades_section(facts: Facts, plots: Plots) -> Html:
    """Return one figure a coin, pessimistic reading."""
    return text([_coin(facts, coin, plots) for coin in facts.findings.subject.coins])


def _coin(facts: Facts, coin: str, plots: Plots) -> Html:
    title = f"Trades on {coin}"
    bars = facts.prices.get(coin)
    trades = facts.own_trades(coin)
    if bars is None:
        return panel(title, nothing("The lake holds no bars of this run."))
    if not trades.height:
        return panel(title, nothing(f"No trade was made on {coin}."))
    far = pl.col("pnl").abs()
    shown = trades.sort(far, descending=True).head(MOST_TRADES).sort("entry_ts")
    made = figure(HEIGHT, hovermode="closest", showlegend=True)
    venue = facts.runs.filter(pl.col("coin") == coin)["venue"][0]
    made.add_trace(price_line(bars, venue))
    for level in LEVELS:
        _level(made, shown, *level)
    _trades(made, shown)
    made.update_layout(
        margin={"l": 62, "r": 14, "t": 12, "b": 78},
        xaxis={"type": "date"},
        yaxis={"tickformat": ",~r", "nticks": 8},
        legend={"orientation": "h", "x": 0, "y": -0.1, "yanchor": "top", "font": {"size": 12}},
    )
    return panel(
        title,
        element("p", _caption(trades, shown), class_="caption"),
        plots.add(made, f"Trades of {facts.name} on {coin}"),
        element(
            "p",
            f"{MARKS} A click in the legend shows stops and targets.",
            class_="note",
        ),
    )


def _caption(trades: pl.DataFrame, shown: pl.DataFrame) -> str:
    said = f"{words.count(trades.height, 'trade')}, pessimistic reading"
    if shown.height < trades.height:
        said += (
            f"; drawn are the {shown.height} that gained or lost most, all are in "
            "backtest_trades"
        )
    aimed = trades["cluster_px"].is_not_null().sum()
    fixed = (trades["target_source"] == "fixed").sum()
    return f"{said}. Targets set by a cluster of the map: {aimed:,}; fixed ones: {fixed:,}."


def _level(
    made: go.Figure,
    trades: pl.DataFrame,
    column: str,
    said: str,
    colour: str,
    dash: str,
    visible: bool | str,
) -> None:
    """Draw a level of each trade from its entry to its exit."""
    rows = trades.filter(pl.col(column).is_not_null()).to_dicts()
    if not rows:
        return
    made.add_scatter(
        name=said,
        x=[moment for row in rows for moment in (row["entry_ts"], row["exit_ts"], None)],
        y=[px for row in rows for px in (row[column], row[column], None)],
        mode="lines+markers",
        marker={"symbol": "line-ew-open", "size": 9, "color": colour, "line": {"width": 2}},
        line={"color": colour, "width": 2, "dash": dash},
        hovertemplate=f"{said} <b>%{{y:,.5~r}}</b><extra></extra>",
        visible=visible,
    )


def _trades(made: go.Figure, trades: pl.DataFrame) -> None:
    rows = trades.to_dicts()
    made.add_trace(path(rows, "trades", ENTERED, legendgroup="trades"))
    made.add_trace(entries(rows, [_entry(row) for row in rows], ENTERED, legendgroup="trades"))
    made.add_trace(exits(rows, legendgroup="trades"))


def _entry(row: dict) -> str:
    levels = [
        f"{name} {words.px(row[column])}"
        for column, name, *_ in LEVELS
        if row[column] is not None
    ]
    lines = [
        f"{row['side']} at <b>{words.px(row['entry_px'])}</b>",
        words.utc(row["entry_ts"]),
        *levels,
    ]
    if row["snapshot_ts"] is not None:
        lines.append(f"map of {words.utc(row['snapshot_ts'])}")
    return "<br>".join(lines)
