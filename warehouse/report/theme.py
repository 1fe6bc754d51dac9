"""This module holds the colours and the common dress of the report's figures.

The same colours stand in ``page.css``; a side is also told by its direction or its word, so
that nothing rests on colour alone.
"""

from html import escape
from math import floor, log10

import plotly.graph_objects as go
from plotly.colors import sequential

PANEL = "#10171f"
GRID = "#1e2935"
AXIS = "#34465a"
TEXT = "#dbe4ee"
MUTED = "#93a4b6"
LONG = "#2dc5a4"
SHORT = "#f2706b"
PRICE = "#f4f7fb"
VARIANTS = ("#8fa3b8", "#f5b83d", "#5aa9ff", "#c58bff", "#7ed957", "#ff8fc7")
SIDES = {"long": LONG, "short": SHORT}

# Marks of trades, by side and by the reason they closed, and what is said of them beneath.
ENTRY = {"long": "triangle-up", "short": "triangle-down"}
EXIT = {
    "target": "circle",
    "stop": "x",
    "trail": "x",
    "liquidation": "star",
    "time": "square",
    "left": "square",
    "end": "diamond",
}
MARKS = (
    "Entries ▲ long ▼ short. Exits ● target ✕ stop ■ time or left by the rule ★ liquidated "
    "◆ end of the data; green where the trade gained after costs, red where it lost."
)
# How the line of a reading of ambiguous bars is drawn, in the order of drawing: a band lies
# between the first two.
DASHES = {"pessimistic": "solid", "optimistic": "dot", "drilled": "dash"}

# Perceptually uniform; without its darkest part, which cannot be told from the panel.
HEAT = [[step / 7, colour] for step, colour in enumerate(sequential.Inferno[2:])]

FONT = 'Inter, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'


def figure(height: int, **layout: object) -> go.Figure:
    """Return an empty figure in the report's dress.

    Parameters
    ----------
    height
        In pixels.
    layout
        Further layout, over the common one.
    """
    axis = {
        "gridcolor": GRID,
        "showline": False,
        "zerolinecolor": AXIS,
        "tickfont": {"color": MUTED, "size": 12},
        "automargin": False,
    }
    common = go.Layout(
        height=height,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "color": TEXT, "size": 13},
        hoverlabel={
            "bgcolor": "#1a2532",
            "bordercolor": AXIS,
            "font": {"family": FONT, "color": TEXT, "size": 13},
            "align": "left",
        },
        margin={"l": 64, "r": 16, "t": 12, "b": 44},
        showlegend=False,
        xaxis=axis,
        yaxis=axis,
    )
    made = go.Figure(layout=common)
    made.update_layout(template=None, **layout)
    return made


def name_heights(made: go.Figure, name: str, top: float = 1.0) -> None:
    """Write what heights mean above the upper left corner, where a phone has room for it.

    Parameters
    ----------
    made
        The figure.
    name
        What heights are, with their unit.
    top
        Upper end of the axis, as a part of the figure's height.
    """
    made.add_annotation(
        text=name,
        x=0.004,
        xref="paper",
        xanchor="left",
        y=top + 0.002,
        yref="paper",
        yanchor="bottom",
        showarrow=False,
        font={"size": 11, "color": MUTED},
    )


def price_hover(name: str) -> str:
    """Return what a price line says of the point under the pointer."""
    return f"{escape(name)} <b>%{{y:,.5~r}}</b><br>%{{x|%d %b %H:%M}} UTC<extra></extra>"


def nice_step(span: float, about: int) -> float:
    """Return a round step that divides ``span`` into at most ``about`` parts.

    >>> nice_step(37e6, 2), nice_step(0.9, 3), nice_step(100.0, 4)
    (20000000.0, 0.5, 25.0)
    """
    least = span / about
    power = 10.0 ** floor(log10(least))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= least)
