"""This module draws a replay: price with its trades, equity, and drawdown."""

from datetime import datetime
from html import escape

import plotly.graph_objects as go
import polars as pl

from warehouse.report import words
from warehouse.report.backtest_facts import Backtests
from warehouse.report.theme import (
    AXIS,
    DASHES,
    MUTED,
    VARIANTS,
    figure,
    name_heights,
)
from warehouse.report.trade_marks import entries, exits, path, price_line

HEIGHT = 680
DOMAINS = {"yaxis": [0.5, 1.0], "yaxis2": [0.21, 0.45], "yaxis3": [0.0, 0.16]}


def backtest_figure(backtests: Backtests, runs: pl.DataFrame) -> go.Figure | None:
    """Return the figure of the runs of one rule on one coin; None without equity rows.

    Solid lines are the pessimistic reading; others are drawn where they differ from it.  The
    trades of one variant are shown; a click in the legend shows those of another.
    """
    made = figure(HEIGHT, hovermode="closest", showlegend=True)
    labels = runs["label"].unique(maintain_order=True).to_list()
    shown = _most_mapped(backtests, runs)
    for number, label in enumerate(labels):
        colour = VARIANTS[number % len(VARIANTS)]
        for run in runs.filter(pl.col("label") == label).iter_rows(named=True):
            pessimistic = run["bound"] == "pessimistic"
            equity = backtests.equity_of(run)
            if not equity.height or (not pessimistic and _same(backtests, run, equity)):
                continue
            if not made.data:
                made.add_trace(price_line(equity, run["venue"]))
            for trace in _curves(equity, label, colour, run["bound"]):
                made.add_trace(trace)
            if pessimistic:
                for trace in _trades(backtests.trades_of(run), label, colour, label == shown):
                    made.add_trace(trace)
    if not made.data:
        return None
    _dress(made, (runs["start_ts"].min(), runs["end_ts"].max()))
    return made


def _same(backtests: Backtests, run: dict, equity: pl.DataFrame) -> bool:
    """Return whether the pessimistic reading of ``run`` draws the same line."""
    other = backtests.equity_of(run | {"bound": "pessimistic"})
    return other["equity"].equals(equity["equity"])


def _most_mapped(backtests: Backtests, runs: pl.DataFrame) -> str:
    """Return the label whose trades rest on a map most often, the first of equals."""
    used = {}
    for run in runs.filter(pl.col("bound") == "pessimistic").iter_rows(named=True):
        trades = backtests.trades_of(run)
        used[run["label"]] = trades["snapshot_ts"].is_not_null().mean() or 0.0
    return max(used, key=lambda label: used[label]) if used else ""


def _curves(equity: pl.DataFrame, label: str, colour: str, reading: str) -> list[go.Scatter]:
    """Return equity and drawdown, both in per cent."""
    start = equity["equity"][0]
    gain = (equity["equity"] / start - 1) * 100
    fall = (equity["equity"] / equity["equity"].cum_max() - 1) * 100
    solid = reading == "pessimistic"
    times = equity["time_ts"].to_list()
    line = {
        "color": colour,
        "width": 1.8 if solid else 1.2,
        "dash": DASHES[reading],
    }
    common = {"x": times, "mode": "lines", "line": line, "legendgroup": label}
    name = escape(words.spelled(label))
    return [
        go.Scatter(
            **common,
            name=name,
            y=gain.round(3).to_list(),
            yaxis="y2",
            showlegend=solid,
            hovertemplate=f"%{{y:+.2f}} %<br>%{{x|%d %b %H:%M}} UTC<extra>{reading}</extra>",
        ),
        go.Scatter(
            **common,
            name=name,
            y=fall.round(3).to_list(),
            yaxis="y3",
            showlegend=False,
            hovertemplate=f"%{{y:.2f}} %<br>%{{x|%d %b %H:%M}} UTC<extra>{reading}</extra>",
        ),
    ]


def _trades(trades: pl.DataFrame, label: str, colour: str, visible: bool) -> list[go.Scatter]:
    """Return entries, exits and the lines between them, as one entry of the legend."""
    if not trades.height:
        return []
    shown = {"legendgroup": f"trades {label}", "visible": True if visible else "legendonly"}
    rows = trades.to_dicts()
    entered = [
        f"{row['side']} at <b>{words.px(row['entry_px'])}</b><br>{words.utc(row['entry_ts'])}"
        for row in rows
    ]
    return [
        path(rows, f"trades of {words.spelled(label)}", colour, **shown),
        entries(rows, entered, colour, **shown),
        exits(rows, **shown),
    ]


def _dress(made: go.Figure, period: tuple[datetime, datetime]) -> None:
    start, end = period
    edge = (end - start) / 80  # an exit on the last bar keeps its mark whole
    made.update_layout(
        margin={"l": 62, "r": 14, "t": 24, "b": 78},
        xaxis={"type": "date", "anchor": "y3", "range": [start - edge, end + edge]},
        yaxis={"tickformat": ",~r", "nticks": 7},
        yaxis2={"ticksuffix": " %", "nticks": 5, "zeroline": True},
        yaxis3={"ticksuffix": " %", "nticks": 4, "zeroline": True},
        legend={
            "orientation": "h",
            "x": 0,
            "y": -0.065,
            "yanchor": "top",
            "font": {"size": 12},
            "itemsizing": "constant",
        },
    )
    common = made.layout.xaxis.to_plotly_json()
    for name, domain in DOMAINS.items():
        made.update_layout(
            {name: {"domain": domain, "gridcolor": common["gridcolor"], "zerolinecolor": AXIS}}
        )
        made.update_layout({name: {"tickfont": {"color": MUTED, "size": 12}}})
    for said, domain in zip(
        ("price and trades", "equity, % since start", "drawdown, % below peak"),
        DOMAINS.values(),
        strict=True,
    ):
        name_heights(made, said, domain[1])
