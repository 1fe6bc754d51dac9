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
# # The map of a day
#
# Where leverage lived around the price of one coin, how it changed through a day, and what a
# move would have triggered. Everything is asked in SQL, at a past moment, from what was true
# then.
#
# `make demo` builds the lake this reads; `UNDERTOW_LAKE` names another.

# %%
import os

import plotly.graph_objects as go

from warehouse import open_lake

lake = os.environ.get("UNDERTOW_LAKE", "data/demo/lake")
con = open_lake(lake)
COIN = "BTC"

# %% [markdown]
# ## What the lake holds
#
# One row of `snapshots` says what a snapshot covers. The day with the most snapshots is the
# one looked at here.

# %%
day = con.sql(
    """
    select
        day,
        count(*) as snapshots,
        min(snapshot_ts) as first_ts,
        max(snapshot_ts) as last_ts,
        max(accounts) as most_accounts,
        max(positions) as most_positions,
        any_value(source) as source
    from snapshots
    group by day
    order by snapshots desc, day
    limit 1
    """
)
day.pl()

# %%
DAY, _, _, LAST, *_, SOURCE = day.fetchall()[0]
print(
    f"{DAY}: rows of source '{SOURCE}'"
    + (", a made-up market" if SOURCE == "simulated" else "")
)

# %% [markdown]
# ## The map at the day's last snapshot
#
# `liquidation_map(coin, at, width_pct)` puts every position with a liquidation price into a
# bucket. Notional is in USD at the price where the position closes.

# %%
at = {"coin": COIN, "at": LAST}
cells = con.sql(
    "from liquidation_map($coin, $at, width_pct := 1) where abs(distance_pct) < 30", params=at
).pl()
mark = con.sql("from current_px($coin, $at)", params=at).fetchall()[0][0]

figure = go.Figure()
for side, sign, colour in (("long", -1, "#2fb98f"), ("short", 1, "#e5645f")):
    rows = cells.filter(side=side)
    figure.add_bar(
        y=rows["px"],
        x=sign * rows["notional"],
        width=rows["px_high"] - rows["px_low"],
        orientation="h",
        name=f"{side}s",
        marker_color=colour,
    )
figure.add_hline(mark, line_dash="dot", annotation_text=f"mark {mark:,.0f}")
figure.update_layout(
    title=f"{COIN}, {LAST:%Y-%m-%d %H:%M} UTC ({SOURCE})",
    xaxis_title="USD closed at that price: longs to the left, shorts to the right",
    yaxis_title="USD",
    barmode="overlay",
    template="plotly_white",
    height=520,
)
figure

# %% [markdown]
# ## Through the day
#
# The same question at every snapshot of the day: the largest cluster on each side within 20 %
# of the price.

# %%
con.sql(
    """
    select
        strftime(taken.snapshot_ts, '%H:%M') as utc,
        c.side,
        round(c.current_px) as mark,
        round(c.px) as cluster_px,
        round(c.distance_pct, 1) as distance_pct,
        round(c.notional / 1e6, 2) as musd,
        c.positions
    from snapshots as taken, lateral (
        from liquidation_clusters($coin, taken.snapshot_ts)
        where abs(distance_pct) < 20
        qualify row_number() over (partition by side order by notional desc) = 1
    ) as c
    where taken.day = $day
    order by utc, side
    """,
    params={"coin": COIN, "day": DAY},
).pl()

# %% [markdown]
# ## What a move would have triggered
#
# Static sums: what the triggered orders do to the price is not added.

# %%
con.sql("from cascade_scenarios($coin, $at, pcts := [5, 10, 15, 20])", params=at).pl()

# %%
con.sql("from leverage_regime($coin, $at)", params=at).pl()

# %% [markdown]
# ## What could have been known
#
# An archive publishes later than it sees. With `knowable := true` the answer uses only what
# had been published by then, which is what a backtest must ask.

# %%
con.sql(
    """
    select 'true then' as asked, snapshot_ts, known_ts
    from snapshot_at($coin, $at)
    union all
    select 'published then', snapshot_ts, known_ts
    from snapshot_at($coin, $at, knowable := true)
    """,
    params=at,
).pl()
