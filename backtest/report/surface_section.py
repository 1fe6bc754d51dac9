"""This module draws what other parameters came to, and says how overfit the choice is."""

from html import escape
from statistics import median

import plotly.graph_objects as go

from backtest.report.facts import Facts
from backtest.report.say import number, share, value
from backtest.report.surface import Surface
from warehouse.report import words
from warehouse.report.markup import Html, element, nothing, panel
from warehouse.report.plots import Plots
from warehouse.report.theme import LONG, PRICE, figure

TITLE = "Other parameters"
# Losses red, gains green, as far from 0 as they are, and dark enough for white figures.
SCALE = [[0.0, "#b5423e"], [0.5, "#1a2532"], [1.0, "#1c8a73"]]


def surface_section(facts: Facts, plots: Plots) -> Html:
    """Return the daily Sharpe ratio over the two parameters that vary most, and PBO."""
    surface = facts.surface
    if not surface.names:
        return panel(TITLE, nothing(*_none(facts)))
    drawn = _cells(surface) if len(surface.names) > 1 else _line(surface)
    return panel(
        TITLE,
        element("p", _caption(surface), class_="caption"),
        element("p", _overfit(surface), class_="lead"),
        plots.add(drawn, "Sharpe ratio by parameters"),
    )


def _none(facts: Facts) -> list[object]:
    said: list[object] = [
        "No parameters were swept on these coins in this period, so nothing can be said of how "
        "much the result hangs on them: ",
        element("code", "undertow backtest sweep"),
        " tries them.",
    ]
    if facts.surface.elsewhere:
        tried = words.count(facts.surface.elsewhere, "trial")
        said.append(f" The lake holds {tried} of this rule on other coins, periods or terms.")
    return said


def _caption(surface: Surface) -> str:
    known = [one for one in surface.sharpe if one is not None]
    where = f"sweep {surface.sweep}" if surface.sweep else "studies of their own"
    said = (
        f"{words.count(len(surface.values), 'setting')} over {words.count(surface.days, 'day')}"
        f", {where}. Sharpe ratio of a day, pessimistic reading"
    )
    if len(surface.names) > 2:
        rest = words.listed(list(surface.names[2:]))
        said += f"; each cell is the median over {rest}"
    if known:
        said += f". Best {number(max(known), signed=True)}, "
        said += f"median {number(median(known), signed=True)}"
    if len(known) < len(surface.values):
        still = len(surface.values) - len(known)
        said += f"; {still} without one, for their returns do not vary"
    if surface.own is None:
        return said + ". The study’s own setting is not among them."
    return said + ". The study’s own is ringed."


def _overfit(surface: Surface) -> str:
    if surface.pbo is None:
        return (
            "Probability of backtest overfitting (PBO), how often the best of half of the days "
            "is in the lower half on the others: not known, for the days are too few or a "
            "setting earns the same on every one of half of them."
        )
    best = max((one for one in surface.sharpe if one is not None), default=None)
    said = f"Probability of backtest overfitting (PBO): {share(surface.pbo)}. "
    return said + (
        "Chosen on half of the days, the best setting was in the lower half on the others so "
        "often; 50 % is a choice that says nothing."
        + (" Even the best of them did not earn." if best is not None and best <= 0 else "")
    )


def _grid(surface: Surface, axis: int) -> list[float]:
    return sorted({one[axis] for one in surface.values})


def _cells(surface: Surface) -> go.Figure:
    columns, rows = _grid(surface, 0), _grid(surface, 1)
    held: dict[tuple[float, float], list[float]] = {}
    for values, ratio in zip(surface.values, surface.sharpe, strict=True):
        if ratio is not None:
            held.setdefault((values[0], values[1]), []).append(ratio)
    cells = [[median(held[x, y]) if (x, y) in held else None for x in columns] for y in rows]
    most = max((abs(one) for row in cells for one in row if one is not None), default=1.0)
    made = figure(max(260, 110 + 44 * min(len(rows), 12)), hovermode="closest")
    few = len(rows) * len(columns) <= 80
    made.add_heatmap(
        z=cells,
        colorscale=SCALE,
        zmin=-most or -1.0,
        zmax=most or 1.0,
        xgap=2,
        ygap=2,
        showscale=False,
        hoverongaps=False,
        text=[["–" if one is None else number(one, 2) for one in row] for row in cells],
        texttemplate="%{text}" if few else None,
        textfont={"size": 12, "color": PRICE},
        customdata=[[[value(x), value(y)] for x in columns] for y in rows],
        hovertemplate=(
            f"{escape(surface.names[0])} %{{customdata[0]}}<br>"
            f"{escape(surface.names[1])} %{{customdata[1]}}<br>"
            "Sharpe ratio <b>%{z:+.3f}</b><extra></extra>"
        ),
    )
    if surface.own is not None:
        at = surface.values[surface.own]
        x, y = columns.index(at[0]), rows.index(at[1])
        edge = {"color": PRICE, "width": 2.5}
        made.add_shape(type="rect", x0=x - 0.5, x1=x + 0.5, y0=y - 0.5, y1=y + 0.5, line=edge)
    made.update_layout(
        margin={"l": 74, "r": 16, "t": 28, "b": 52},
        xaxis=_axis(columns, surface.names[0]) | {"showgrid": False},
        yaxis=_axis(rows, None) | {"showgrid": False},
    )
    _name(made, surface.names[1])
    return made


def _axis(values: list[float], name: str | None) -> dict:
    step = -(-len(values) // 16)
    title = {} if name is None else {"title": {"text": escape(name), "font": {"size": 12}}}
    places = list(range(0, len(values), step))
    return {
        "tickvals": places,
        "ticktext": [value(values[place]) for place in places],
        "zeroline": False,
        **title,
    }


def _line(surface: Surface) -> go.Figure:
    pairs = sorted(zip(surface.values, surface.sharpe, strict=True))
    made = figure(300, hovermode="closest")
    made.add_scatter(
        x=[values[0] for values, _ in pairs],
        y=[ratio for _, ratio in pairs],
        mode="lines+markers",
        line={"color": LONG, "width": 1.8},
        marker={"size": 8},
        hovertemplate=f"{escape(surface.names[0])} %{{x:,g}}<br>"
        "Sharpe ratio <b>%{y:+.3f}</b><extra></extra>",
    )
    if surface.own is not None and surface.sharpe[surface.own] is not None:
        made.add_scatter(
            x=[surface.values[surface.own][0]],
            y=[surface.sharpe[surface.own]],
            mode="markers",
            marker={"size": 16, "symbol": "circle-open", "color": PRICE, "line": {"width": 2}},
            hoverinfo="skip",
        )
    made.update_layout(
        margin={"l": 62, "r": 16, "t": 28, "b": 52},
        xaxis={"title": {"text": escape(surface.names[0]), "font": {"size": 12}}},
        yaxis={"nticks": 6, "zeroline": True},
    )
    _name(made, "Sharpe ratio of a day")
    return made


def _name(made: go.Figure, said: str) -> None:
    made.add_annotation(
        text=escape(said),
        x=0,
        xref="paper",
        xanchor="left",
        y=1,
        yref="paper",
        yanchor="bottom",
        showarrow=False,
        font={"size": 12},
    )
