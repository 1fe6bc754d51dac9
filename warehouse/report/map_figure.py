"""This module draws the map at a moment: longs to the left, shorts to the right, price up."""

import numpy as np
import plotly.graph_objects as go
import polars as pl

from warehouse.report import words
from warehouse.report.coin_facts import CoinFacts
from warehouse.report.price_range import PriceRange, map_range
from warehouse.report.theme import AXIS, MUTED, PANEL, PRICE, SIDES, figure, nice_step

HEIGHT = 620
LABELS_A_SIDE = 4
# Two labels nearer than this would touch, as a share of the axis: 22 of some 560 pixels.
LABEL_ROOM = 0.04
# Distances from the mark that the right-hand axis names, per cent.
AWAY = (-25, -20, -15, -10, -5, 5, 10, 15, 20, 25)
SIGN = {"long": -1, "short": 1}


def map_figure(facts: CoinFacts) -> go.Figure | None:
    """Return the map of one coin; None where there is nothing to draw."""
    if facts.mark is None or not facts.chart.height:
        return None
    shown = map_range(facts.mark)
    chart = facts.chart.filter(pl.col("px").is_between(shown.low, shown.high, closed="left"))
    made = figure(HEIGHT, bargap=0, barmode="overlay", hovermode="closest")
    most = chart["notional"].max() or 1.0
    sums = {side: _sums(chart, side, facts.mark) for side in SIDES}
    for side in SIDES:
        made.add_trace(_reached(sums[side], side))
    for side in SIDES:
        made.add_trace(_bars(chart, side))
    _dress(made, facts.mark, shown, most, max(max(total) for _, total in sums.values()))
    _label(made, facts, shown)
    return made


def _bars(chart: pl.DataFrame, side: str) -> go.Bar:
    rows = chart.filter(pl.col("side") == side)
    said = [
        f"<b>{words.usd(row['notional'])}</b> of {side}s close at "
        f"{words.px(row['px_low'])}–{words.px(row['px_high'])}<br>"
        f"{words.pct(row['distance_pct'], signed=True)} from the mark · "
        f"{words.count(row['positions'], 'position')} of "
        f"{words.count(row['accounts'], 'account')}<br>"
        f"largest account: {words.share(row['top_account_share'], 1.0)} of it"
        for row in rows.iter_rows(named=True)
    ]
    return go.Bar(
        name=f"{side}s",
        orientation="h",
        x=(rows["notional"] * SIGN[side]).round(0).to_list(),
        y=_rounded((rows["px_low"] + rows["px_high"]) / 2),
        width=_rounded((rows["px_high"] - rows["px_low"]) * 0.86),
        marker={"color": SIDES[side], "line": {"width": 0}},
        hovertext=said,
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _sums(chart: pl.DataFrame, side: str, mark: float) -> tuple[list[float], list[float]]:
    """Return prices away from the mark, and what a move to each would have reached."""
    away = side == "long"
    rows = chart.filter(pl.col("side") == side).sort("px", descending=away)
    edge = rows["px_low"] if away else rows["px_high"]
    return [mark, *_rounded(edge)], [0.0, *rows["notional"].cum_sum().round(0)]


def _reached(sums: tuple[list[float], list[float]], side: str) -> go.Scatter:
    prices, total = sums
    return go.Scatter(
        name=f"{side}s reached by a move this far",
        x=[SIGN[side] * amount for amount in total],
        y=prices,
        xaxis="x2",
        mode="lines",
        line={"color": SIDES[side], "width": 1.2, "shape": "vh", "dash": "dot"},
        fill="tozerox",
        fillcolor=_faint(SIDES[side]),
        hovertext=[
            f"a move to {words.px(price)} reaches <b>{words.usd(amount)}</b> of {side}s"
            for price, amount in zip(prices, total, strict=True)
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _dress(made: go.Figure, mark: float, shown: PriceRange, most: float, sum_: float) -> None:
    made.update_layout(
        margin={"l": 62, "r": 52, "t": 34, "b": 44},
        xaxis=_amounts(most * 1.06) | {"title": _title("closes in one bucket")},
        xaxis2=_amounts((sum_ or 1.0) * 1.06)
        | {
            "overlaying": "x",
            "side": "top",
            "showgrid": False,
            "zeroline": False,
        },
        yaxis={"range": [shown.low, shown.high], "tickformat": ",~r", "nticks": 12},
        yaxis2={
            "overlaying": "y",
            "side": "right",
            "matches": "y",
            "showgrid": False,
            "tickvals": _rounded(mark * (1 + np.array(AWAY) / 100)),
            "ticktext": [f"{step:+d}%".replace("-", words.MINUS) for step in AWAY],
            "tickfont": {"color": MUTED, "size": 12},
        },
    )
    # An axis is drawn only where a trace uses it.
    made.add_trace(go.Scatter(x=[0], y=[mark], yaxis="y2", mode="none", hoverinfo="skip"))
    made.add_hline(mark, line={"color": PRICE, "width": 1.5})
    made.add_vline(0, line={"color": AXIS, "width": 1})


def _amounts(most: float) -> dict:
    """Return an axis of USD to both sides of 0."""
    step = nice_step(most, 2)
    ticks = np.arange(-int(most / step), int(most / step) + 1) * step
    return {
        "range": [-most, most],
        "tickvals": ticks.tolist(),
        "ticktext": [words.usd_tick(abs(tick)) for tick in ticks],
        "tickfont": {"color": MUTED, "size": 12},
    }


def _label(made: go.Figure, facts: CoinFacts, shown: PriceRange) -> None:
    """Say the mark, and the largest clusters in the half that their bars leave empty."""
    made.add_annotation(
        x=1,
        xref="paper",
        y=facts.mark,
        text=f"<b>mark {words.px(facts.mark)}</b>",
        font={"color": PANEL, "size": 12},
        bgcolor=PRICE,
        borderpad=3,
        showarrow=False,
        xanchor="right",
        yanchor="middle",
    )
    room = (shown.high - shown.low) * LABEL_ROOM
    for side in SIDES:
        said = [facts.mark]
        rows = facts.clusters.filter(pl.col("side") == side).iter_rows(named=True)
        for row in rows:
            inside = shown.low + room / 2 < row["px"] < shown.high - room / 2
            if inside and all(abs(row["px"] - other) > room for other in said):
                said.append(row["px"])
                made.add_annotation(**_cluster(row, side))
            if len(said) > LABELS_A_SIDE:
                break


def _cluster(row: dict, side: str) -> dict:
    return {
        "x": 0,
        "y": row["px"],
        "xanchor": "left" if side == "long" else "right",
        "xshift": -6 * SIGN[side],
        "showarrow": False,
        "font": {"size": 12, "color": SIDES[side]},
        "text": f"<b>{words.usd(row['notional'])}</b> at {words.px(row['px'])}",
    }


def _title(said: str) -> dict:
    return {"text": said, "font": {"color": MUTED, "size": 12}, "standoff": 4}


def _rounded(values: object) -> list[float]:
    """Return values to seven significant figures: an eighth is less than a pixel."""
    return [float(f"{value:.7g}") for value in values]


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.10)"
