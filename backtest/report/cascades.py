"""This module draws what prices did around liquidation cascades, with bands."""

from math import floor

from backtest.findings.cascade_study import FEWEST_EVENTS, FEWEST_STRETCHES, CascadeStudy
from backtest.findings.find import Findings
from warehouse.report import words
from warehouse.report.markup import Html, element, nothing, panel
from warehouse.report.plots import Plots
from warehouse.report.theme import MUTED, VARIANTS, figure, name_heights

TITLE = "Around cascades"


def cascades_section(findings: Findings, plots: Plots) -> Html:
    """Return the mean path of prices around the cascades of the period."""
    found = findings.cascades
    if found is None:
        return panel(TITLE, nothing("No lake was asked for cascades when this was answered."))
    if found.events < FEWEST_EVENTS:
        return panel(
            TITLE,
            nothing(
                f"{words.count(found.events, 'cascade')} with all bars around "
                f"{'it' if found.events == 1 else 'them'} in this period: fewer than "
                f"{FEWEST_EVENTS}, from which no mean is told."
            ),
        )
    return panel(
        TITLE,
        element("p", _caption(found), class_="caption"),
        plots.add(_figure(found), "Mean price around cascades"),
    )


def _caption(found: CascadeStudy) -> str:
    band = (
        "the band is the 95 % interval with stretches as units"
        if found.effective >= FEWEST_STRETCHES
        else f"of fewer than {FEWEST_STRETCHES} no interval is told, so there is no band"
    )
    # Never rounded up to what would have a band.
    effective = floor(10 * found.effective) / 10
    stretches = words.count(found.stretches, "stretch", "stretches")
    return (
        f"{words.count(found.events, 'cascade')}, whatever the rule did: "
        f"{words.count(found.merged, 'event')} where those whose bars overlap are one, "
        f"whatever their coin, in {stretches} of time, as good as {effective:.1f} of equal "
        f"weight; {band}. The close against that of the bar before the cascade, signed so that "
        "its own way is up. Cascades are known by what prices did in them: the jump at 0 is "
        "what they are, only what comes after can be traded."
    )


def _figure(found: CascadeStudy) -> object:
    made = figure(340, hovermode="x")
    # All paths are measured from the bar before the cascade, so there the band is closed.
    known = [
        (offset, 100 * (low or 0.0), 100 * (high or 0.0))
        for offset, low, high in zip(found.offset, found.low, found.high, strict=True)
        if offset == -1 or (low is not None and high is not None)
    ]
    # Where an interval is not known the band is broken, not drawn over.
    for band in [one for one in _unbroken(known) if len(one) > 1]:
        offsets, lows, highs = zip(*band, strict=True)
        made.add_scatter(
            x=[*offsets, *reversed(offsets)],
            y=[round(one, 4) for one in (*highs, *reversed(lows))],
            fill="toself",
            fillcolor="rgba(90,169,255,0.18)",
            line={"width": 0},
            mode="lines",
            hoverinfo="skip",
        )
    made.add_scatter(
        x=list(found.offset),
        y=[None if one is None else round(100 * one, 4) for one in found.mean],
        mode="lines",
        line={"color": VARIANTS[2], "width": 2},
        hovertemplate="%{x:+d} bars<br><b>%{y:+.3f} %</b><extra></extra>",
    )
    made.add_vline(0, line={"color": MUTED, "width": 1.2, "dash": "dash"})
    made.update_layout(
        margin={"l": 62, "r": 16, "t": 28, "b": 56},
        xaxis={
            "dtick": 12,
            "title": {
                "text": "bars from the start of the cascade",
                "font": {"size": 12, "color": MUTED},
            },
        },
        yaxis={"ticksuffix": " %", "nticks": 7, "zeroline": True},
    )
    name_heights(made, "mean price, % in the cascade’s way")
    return made


def _unbroken(
    rows: list[tuple[int, float, float]],
) -> list[list[tuple[int, float, float]]]:
    """Return runs of neighbouring offsets.

    >>> _unbroken([(0, 1.0, 2.0), (1, 1.0, 2.0), (3, 1.0, 2.0)])
    [[(0, 1.0, 2.0), (1, 1.0, 2.0)], [(3, 1.0, 2.0)]]
    """
    found: list[list[tuple[int, float, float]]] = []
    for row in rows:
        if found and found[-1][-1][0] == row[0] - 1:
            found[-1].append(row)
        else:
            found.append([row])
    return found
