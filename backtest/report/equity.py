"""This module draws equity and drawdown, with bounds, against the rule without the map."""

import plotly.graph_objects as go

from backtest.report.curves import Curve
from backtest.report.facts import Facts
from warehouse.report import words
from warehouse.report.markup import Html, element, nothing, panel
from warehouse.report.plots import Plots
from warehouse.report.theme import AXIS, DASHES, MUTED, VARIANTS, figure, name_heights

HEIGHT = 460
OWN, WITHOUT = VARIANTS[1], VARIANTS[0]


def equity_section(facts: Facts, plots: Plots) -> Html:
    """Return equity and drawdown of all coins together."""
    own = {
        bound: facts.curves[True, bound] for bound in DASHES if (True, bound) in facts.curves
    }
    if "pessimistic" not in own:
        return panel("Equity and drawdown", nothing("The lake holds no equity of this study."))
    apart = [bound for bound in own if own[bound].gain != own["pessimistic"].gain]
    base = facts.curves.get((False, "pessimistic"))
    shared = facts.findings.subject.shared
    drawn = _figure(facts.name, {b: own[b] for b in ("pessimistic", *apart)}, base)
    return panel(
        "Equity and drawdown",
        element("p", _caption(own, apart, base, shared), class_="caption"),
        plots.add(drawn, f"Equity and drawdown of {facts.name}"),
    )


def _caption(own: dict[str, Curve], apart: list[str], base: Curve | None, shared: bool) -> str:
    first = own["pessimistic"]
    said = "All coins together, each in an account of its own; profits are not compounded. "
    if shared:
        said = "The account that all coins are in. "
    said += (
        f"Read pessimistically it ends at {_pct(first.gain[-1])}, at worst {_deepest(first)} "
        "below its peak. "
    )
    for bound in apart:
        adverb = "by finer bars or trades" if bound == "drilled" else "optimistically"
        said += f"Read {adverb}: {_pct(own[bound].gain[-1])}. "
    if not apart:
        said += "Every reading of ambiguous bars gives the same curve. "
    if base is None:
        return said + "The rule knows no map, so there is none to take away."
    return said + (
        f"The same rule without the map: {_pct(base.gain[-1])}, {_deepest(base)} below "
        "its peak at worst."
    )


def _pct(per_cent: float) -> str:
    return words.pct(per_cent, 2, signed=round(per_cent, 2) != 0)


def _deepest(curve: Curve) -> str:
    return words.pct(-min(curve.fall) or 0.0, 2)


def _figure(name: str, own: dict[str, Curve], base: Curve | None) -> go.Figure:
    made = figure(HEIGHT, hovermode="closest", showlegend=True)
    if base is not None:
        _add(made, base, "without the map", WITHOUT, "dash", 1.4)
    for bound, curve in own.items():
        label = f"with it, {bound}" if base is not None else f"{bound} reading"
        fills = bound == "optimistic"
        _add(made, curve, label, OWN, DASHES[bound], 2.0, fill="tonexty" if fills else None)
    made.update_layout(
        margin={"l": 62, "r": 14, "t": 24, "b": 78},
        xaxis={"type": "date", "anchor": "y2"},
        yaxis={"domain": [0.42, 1.0], "ticksuffix": " %", "nticks": 6, "zeroline": True},
        yaxis2={
            "domain": [0.0, 0.33],
            "ticksuffix": " %",
            "nticks": 4,
            "gridcolor": made.layout.yaxis.gridcolor,
            "zerolinecolor": AXIS,
            "tickfont": {"color": MUTED, "size": 12},
        },
        legend={"orientation": "h", "x": 0, "y": -0.1, "yanchor": "top", "font": {"size": 12}},
    )
    for said, top in (("equity, % since the start", 1.0), ("drawdown, % below the peak", 0.33)):
        name_heights(made, said, top)
    return made


def _add(
    made: go.Figure,
    curve: Curve,
    label: str,
    colour: str,
    dash: str,
    width: float,
    fill: str | None = None,
) -> None:
    common = {"x": curve.times, "mode": "lines", "legendgroup": label, "name": label}
    for axis, values, shown in (("y", curve.gain, True), ("y2", curve.fall, False)):
        made.add_scatter(
            **common,
            y=values,
            yaxis=axis,
            showlegend=shown,
            line={"color": colour, "width": width, "dash": dash},
            fill=fill if shown else None,
            fillcolor="rgba(245,184,61,0.16)" if fill else None,
            hovertemplate=f"%{{y:+.2f}} %<br>%{{x|%d %b %Y %H:%M}} UTC<extra>{label}</extra>",
        )
