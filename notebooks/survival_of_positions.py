# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # How long leveraged positions last
#
# A position is opened, and then it is closed, or liquidated, or still there when nobody looks
# any more. How long do positions last until they are liquidated, by leverage and by how far
# away their liquidation price was when they were first seen?
#
# Everything here is from the lake's own looks at positions, with ends read from fills. What
# is counted, and what is not, is in `docs/definitions.md`, "Survival".
#
# `UNDERTOW_LAKE` names the lake that is asked. Without it a small simulated market is made
# here, in seconds and offline: its numbers say how the questions work, and nothing of any
# real market.

# %%
import os
import tempfile

import numpy as np
import plotly.graph_objects as go

from warehouse import open_lake
from warehouse.survival.ask import survival

lake = os.environ.get("UNDERTOW_LAKE")
if lake is None:
    from pipelines.simulator.small_lake import small_lake

    folder = tempfile.TemporaryDirectory(prefix="undertow-")
    lake = small_lake(folder.name)
con = open_lake(lake)
SINCE, UNTIL, LOOKS, SOURCES = con.sql(
    """
    select
        min(snapshot_ts),
        max(snapshot_ts) + interval 1 microsecond,
        count(distinct snapshot_ts),
        string_agg(distinct source, ', ')
    from snapshots
    """
).fetchall()[0]
print(
    f"{LOOKS} looks from {SINCE:%Y-%m-%d %H:%M} to {UNTIL:%Y-%m-%d %H:%M} UTC, "
    f"of source {SOURCES}"
)

# %% [markdown]
# ## Spells
#
# `position_spells` gives one row for each time that an account was seen to hold one side of a
# coin. `begun` says whether it was seen to come (`opened`) or was there at the first look
# (`unknown`); `outcome` how it ended, or why it is not known.

# %%
con.sql(
    """
    select
        begun,
        outcome,
        count(*) as spells,
        count(distinct account) as accounts,
        round(median(hours), 1) as median_hours,
        round(median(leverage)) as median_leverage,
        round(sum(notional) / 1e6, 2) as musd
    from position_spells($since, $until)
    group by begun, outcome
    order by begun, spells desc
    """,
    params={"since": SINCE, "until": UNTIL},
).pl()

# %% [markdown]
# Those that the first look shows are left out from here on: their age is not known, and that
# they were there to be seen means that they had lasted.
#
# ## By leverage
#
# `survival` groups the spells, draws a Kaplan–Meier curve of each group and leaves the answer
# as tables that SQL can read. A curve is the share that would not yet be liquidated if nobody
# closed; the shade is its 95 % band, which takes positions as independent and is therefore
# too narrow.

# %%
answer = survival(con, SINCE, UNTIL, by="leverage")
print(answer.basis)
con.sql("from survival_groups").pl()

# %%
figure = go.Figure()
shades = ["#1f9e89", "#6ccb5f", "#d8c032", "#f08a3c", "#d1495b", "#6b4c9a", "#8a8f98"]
groups = [name for (name,) in con.sql("select position_group from survival_groups").fetchall()]
for name, colour in zip(groups, shades, strict=False):
    steps = con.sql(
        "select * from survival_curves where position_group = $name order by hours",
        params={"name": name},
    ).pl()
    banded = steps.drop_nulls("low")
    figure.add_scatter(
        x=np.concatenate([banded["hours"], banded["hours"][::-1]]),
        y=np.concatenate([banded["high"], banded["low"][::-1]]),
        fill="toself",
        fillcolor=colour,
        opacity=0.13,
        line_width=0,
        showlegend=False,
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=steps["hours"],
        y=steps["survival"],
        mode="lines",
        line={"shape": "hv", "color": colour, "width": 2.5},
        name=f"{name} ({steps['at_risk'].max()})",
    )
figure.update_layout(
    title=f"Not yet liquidated, by leverage ({SOURCES})",
    xaxis_title="hours since first seen",
    yaxis={"title": "share, if nobody closed", "tickformat": ".0%", "rangemode": "tozero"},
    legend_title="leverage (positions)",
    template="plotly_white",
    height=480,
)
figure

# %%
day = con.sql(
    """
    select position_group, survival_24h
    from survival_groups
    where survival_24h is not null
    order by survival_24h
    """
).fetchall()
print(
    f"What it says: a day after it was seen, {1 - day[0][1]:.0%} of {day[0][0]} would be "
    f"liquidated if nobody closed; of {day[-1][0]}, {1 - day[-1][1]:.0%}."
)

# %% [markdown]
# ## By distance
#
# Leverage is chosen once; the distance to the liquidation price says more, for it knows of
# the other positions of the account and of what lies unused beside them.

# %%
survival(con, SINCE, UNTIL, by="distance")
figure = go.Figure()
curves = con.sql("from survival_curves").pl()
for name, colour in zip(
    curves["position_group"].unique(maintain_order=True), reversed(shades), strict=False
):
    steps = curves.filter(position_group=name)
    figure.add_scatter(
        x=steps["hours"],
        y=steps["survival"],
        mode="lines",
        line={"shape": "hv", "color": colour, "width": 2.5},
        name=f"{name} ({steps['at_risk'].max()})",
    )
figure.update_layout(
    title=f"Not yet liquidated, by distance when first seen ({SOURCES})",
    xaxis_title="hours since first seen",
    yaxis={"title": "share, if nobody closed", "tickformat": ".0%", "rangemode": "tozero"},
    legend_title="distance (positions)",
    template="plotly_white",
    height=480,
)
figure

# %%
near, half = con.sql(
    """
    select position_group, median_hours
    from survival_groups
    order by median_hours nulls last
    limit 1
    """
).fetchall()[0]
print(
    "What it says: "
    + (
        f"of those {near} away, half would be liquidated within {half:.1f} hours."
        if half is not None
        else "in no band would half be liquidated while it was watched."
    )
)

# %% [markdown]
# ## What closing does
#
# Nobody holds on for ever: most positions are closed before anything happens to them. The
# share that *was* liquidated before it was closed is therefore smaller than one minus the
# curve.

# %%
# The end is where at least ten are still watched: beyond, a curve hangs on single positions.
both = curves.filter(curves["at_risk"] >= 10)
both = both.group_by("position_group", maintain_order=True).last()
figure = go.Figure()
figure.add_bar(
    x=both["position_group"],
    y=1 - both["survival"],
    name="if nobody closed",
    marker_color="#c9ced6",
)
figure.add_bar(
    x=both["position_group"],
    y=both["liquidated_share"],
    name="as it happened",
    marker_color="#d1495b",
)
figure.update_layout(
    title=f"Liquidated while at least ten are watched ({SOURCES})",
    xaxis_title="distance when first seen",
    yaxis={"title": "share of positions", "tickformat": ".0%"},
    barmode="group",
    template="plotly_white",
    height=420,
)
figure

# %%
widest = both.with_columns(saved=1 - both["survival"] - both["liquidated_share"]).sort("saved")[
    -1
]
print(
    f"What it says: closing in time makes the largest difference at "
    f"{widest['position_group'].item()}: {1 - widest['survival'].item():.0%} would have been "
    f"liquidated, {widest['liquidated_share'].item():.0%} were."
)

# %% [markdown]
# ## One law for all
#
# A Weibull model says how the time goes with leverage and distance together. Twice the
# distance multiplies the time by 2 to the power of its estimate; leverage has the part that
# distance does not explain.

# %%
answer = survival(con, SINCE, UNTIL)
print(answer.basis.rpartition("; ")[2])
terms = con.sql("from survival_weibull").pl()
terms

# %%
figure = go.Figure()
law = dict(zip(terms["term"], terms["estimate"], strict=True))
if law:
    leverages, distances = [3, 5, 10, 20, 40], [1, 2, 5, 10, 20]
    median = [
        [
            np.exp(
                law["intercept"]
                + law["log_leverage"] * np.log(leverage)
                + law["log_distance"] * np.log(distance)
            )
            * np.log(2) ** np.exp(-law["log_shape"])
            for leverage in leverages
        ]
        for distance in distances
    ]
    figure.add_heatmap(
        z=np.log10(median),
        x=[f"{leverage}x" for leverage in leverages],
        y=[f"{distance} %" for distance in distances],
        text=[[f"{hours:,.1f} h" for hours in row] for row in median],
        texttemplate="%{text}",
        colorscale="Teal",
        showscale=False,
    )
figure.update_layout(
    title=f"Hours until half are liquidated, if nobody closes ({SOURCES})",
    xaxis_title="leverage",
    yaxis_title="distance",
    template="plotly_white",
    height=420,
)
figure

# %%
if law:
    shape = terms.filter(term="log_shape").row(0, named=True)
    if shape["low"] < 0 < shape["high"]:
        ages = "whether the risk grows or falls with age cannot be told from these"
    else:
        ages = f"the risk {'falls' if shape['high'] < 0 else 'grows'} with age"
    print(
        f"What it says: twice the distance lasts {2 ** law['log_distance']:.1f} times as long; "
        f"{ages} (shape {np.exp(shape['low']):.2f} to {np.exp(shape['high']):.2f})."
    )
else:
    print("What it says: nothing; too few were liquidated to fit a law.")

# %% [markdown]
# ## What this does not say
#
# - Positions that were opened and gone between two looks are in no curve. The rarer the
#   looks, the more of those that die young are missing.
# - Those who close may be nearer to liquidation than those who stay, or farther: a curve
#   takes for granted that they are neither.
# - Many positions are of one account, and a crash takes many at once. The bands know nothing
#   of it.
# - Some cells of the last picture lie outside what was seen: 40x and 20 % away hardly exist
#   together.
