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
# # How much a map has seen, and how right its prices are
#
# A liquidation map is worth what it has seen. Two questions come before any other: how much
# of the venue's open interest is on the map, and how far are its liquidation prices from the
# venue's own?
#
# `UNDERTOW_LAKE` names the lake that is asked. Without it a small simulated market is made
# here, in seconds and offline: its numbers say how the questions work, and nothing of any
# real market.

# %%
import os
import tempfile

import plotly.graph_objects as go

from pipelines.steps.margin_errors import errors_of
from warehouse import open_lake

lake = os.environ.get("UNDERTOW_LAKE")
if lake is None:
    from pipelines.simulator.small_lake import small_lake

    folder = tempfile.TemporaryDirectory(prefix="undertow-")
    lake = small_lake(folder.name)
con = open_lake(lake)
SINCE, AT, SOURCES = con.sql(
    """
    select min(snapshot_ts), max(snapshot_ts), string_agg(distinct source, ', ')
    from snapshots
    """
).fetchall()[0]
COINS = [
    coin
    for (coin,) in con.sql(
        """
        select coin
        from positions
        where snapshot_ts = $at
        group by coin
        order by sum(notional) desc
        limit 4
        """,
        params={"at": AT},
    ).fetchall()
]
COIN = COINS[0]
print(f"{COIN} and {', '.join(COINS[1:])} at {AT:%Y-%m-%d %H:%M} UTC, of source {SOURCES}")

# %% [markdown]
# ## Coverage of one map
#
# `map_coverage` puts every position into the band of its distance to liquidation. `coverage`
# holds a band of a side against the whole open interest, which is one-sided, so that bands add
# up to `all`; it is null where the venue's open interest is not known, never 0.

# %%
bands = con.sql(
    "from map_coverage($coin, $at) order by side, low_pct", params={"coin": COIN, "at": AT}
).pl()
bands.select("side", "band", "mapped_notional", "positions", "venue_open_interest", "coverage")

# %%
figure = go.Figure()
for side, colour in (("long", "#2fb98f"), ("short", "#e5645f")):
    rows = bands.filter(bands["side"] == side, bands["band"] != "all")
    figure.add_bar(
        x=rows["band"], y=rows["mapped_notional"], name=f"{side}s", marker_color=colour
    )
figure.update_layout(
    title=f"{COIN}: what is mapped, by distance to liquidation ({SOURCES})",
    xaxis_title="distance, per cent of the price",
    yaxis_title="USD at the mark",
    template="plotly_white",
    height=420,
)
figure

# %%
for side in ("long", "short"):
    row = bands.filter(band="all", side=side).row(0, named=True)
    unpriced = bands.filter(band="unpriced", side=side)["mapped_notional"].sum()
    seen = "an unknown share" if row["coverage"] is None else f"{row['coverage']:.1%}"
    print(
        f"What it says: the map holds {seen} of the open interest on the {side} side; "
        f"{unpriced / row['mapped_notional']:.1%} of it has no liquidation price."
    )

# %% [markdown]
# ## Coverage through time
#
# The same question at moments through the whole range. A line that breaks off means that open
# interest is not known there.

# %%
through = con.sql(
    """
    select
        moments.ts,
        coins.coin,
        c.coverage
    from (select unnest(generate_series($since, $at, ($at - $since) / 16)) as ts) as moments,
        (select unnest($coins) as coin) as coins,
        lateral (
            select coverage
            from map_coverage(coins.coin, moments.ts)
            where band = 'all' and side = 'long'
        ) as c
    order by moments.ts
    """,
    params={"since": SINCE, "at": AT, "coins": COINS},
).pl()
figure = go.Figure()
for coin in COINS:
    rows = through.filter(coin=coin)
    figure.add_scatter(x=rows["ts"], y=rows["coverage"], mode="lines+markers", name=coin)
figure.update_layout(
    title=f"Share of open interest on the map, longs ({SOURCES})",
    yaxis={"title": "coverage", "tickformat": ".0%", "rangemode": "tozero"},
    template="plotly_white",
    height=380,
)
figure

# %%
known = through.drop_nulls("coverage")
print(
    f"What it says: coverage lies between {known['coverage'].min():.1%} and "
    f"{known['coverage'].max():.1%}, known at {known.height} of {through.height} points."
    if known.height
    else "What it says: nothing; the venue's open interest is not known here."
)

# %% [markdown]
# ## Whom one has to ask
#
# A sweep asks accounts one by one, the largest first if it is wise. How much of what is held
# do the largest accounts hold, and how much of what is *near liquidation*?

# %%
ranked = con.sql(
    """
    with held as (
        select
            account,
            sum(mark_notional) as held,
            coalesce(sum(mark_notional) filter (
                where abs(liquidation_px / current_px - 1) < 0.1
            ), 0) as near
        from all_positions_at($at)
        group by account
    )

    select
        row_number() over largest as asked,
        sum(held) over largest / sum(held) over () as of_all,
        sum(near) over largest / nullif(sum(near) over (), 0) as of_near
    from held
    window largest as (order by held desc, account rows unbounded preceding)
    order by asked
    """,
    params={"at": AT},
).pl()
figure = go.Figure()
figure.add_scatter(x=ranked["asked"], y=ranked["of_all"], name="of all that is held")
figure.add_scatter(
    x=ranked["asked"], y=ranked["of_near"], name="of what is within 10 % of liquidation"
)
figure.update_layout(
    title=f"What the largest accounts hold ({SOURCES})",
    xaxis={"title": "accounts asked, the largest first", "type": "log"},
    yaxis={"title": "share seen", "tickformat": ".0%", "rangemode": "tozero"},
    template="plotly_white",
    height=420,
)
figure

# %%
tenth = ranked[max(0, ranked.height // 10 - 1)]
near = tenth["of_near"].item()
print(
    f"What it says: the largest tenth, {tenth['asked'].item()} accounts, hold "
    f"{tenth['of_all'].item():.0%} of all, and "
    f"{'nothing is' if near is None else f'{near:.0%} of what is'} near liquidation."
)

# %% [markdown]
# ## What rests on other prices
#
# The liquidation price of a cross position holds all other prices fixed. `map_dependence`
# says which share of a map's mass comes from accounts with several such positions; `share` is
# what is sure, `share_most` what could be, where margin modes are not recorded.

# %%
con.sql(
    """
    select d.coin, d.side, d.notional, d.multi_notional, d.share, d.share_most
    from (select unnest($coins) as coin) as coins, lateral (
        from map_dependence(coins.coin, $at)
    ) as d
    order by d.coin, d.side
    """,
    params={"coins": COINS, "at": AT},
).pl()

# %% [markdown]
# ## Margin error
#
# Of each price that the venue gives, ours is made without looking at it, and the two are
# compared: `margin_error`, one row a day, coin and margin mode. The nightly run lands what it
# reads. Where it has not, the newest day is worked out here, in memory; nothing is written.

# %%
if not con.sql("from margin_errors limit 1").fetchall():
    worked_out = errors_of(con, AT.date())
    con.execute(
        "insert into promised.margin_errors by name select *, $day as day from worked_out",
        {"day": AT.date()},
    )
errors = con.sql(
    """
    select
        coin,
        leverage_type,
        venue_prices,
        compared,
        within_1e6_share,
        within_1e4_share,
        median_error,
        p99_error,
        agree_share,
        near_zero,
        own_leverage,
        unexplained
    from margin_error
    where day = (select max(day) from margin_error)
    order by venue_prices desc, coin, leverage_type
    limit 16
    """
).pl()
errors

# %%
told = con.sql(
    """
    with newest as (
        select *
        from margin_errors
        where day = (select max(day) from margin_errors)
    )

    select
        leverage_type,
        sum(within_1e6) as "within 1e-6",
        sum(near_zero) as "price near 0",
        sum(own_leverage) as "leverage of its own",
        sum(unexplained) as "not explained",
        sum(no_other_price) as "no other price to compare with",
        sum(shared_collateral) as "collateral shared",
        sum(no_tiers + no_margin + margin_mode_unknown) as "rules or margin not known"
    from newest
    group by leverage_type
    order by leverage_type
    """
).pl()
figure = go.Figure()
shades = ["#2fb98f", "#a5d8c5", "#d8c032", "#d1495b", "#c9ced6", "#9aa3ad", "#6c757d"]
for reason, colour in zip(told.columns[1:], shades, strict=True):
    figure.add_bar(
        y=told["leverage_type"].fill_null("not recorded"),
        x=told[reason],
        name=reason,
        orientation="h",
        marker_color=colour,
    )
figure.update_layout(
    title=f"What became of each price of the venue ({SOURCES})",
    xaxis_title="positions with the venue's price",
    barmode="stack",
    legend={"orientation": "h", "y": -0.25},
    template="plotly_white",
    height=420,
)
figure

# %%
sums = told.select(told.columns[1:]).sum().row(0, named=True)
every = sum(sums.values())
compared = sum(list(sums.values())[:4])
print(
    f"What it says: of {every:,} prices of the venue {compared / every:.1%} could be compared; "
    f"{sums['within 1e-6'] / max(compared, 1):.1%} of these agree within a millionth, and "
    f"{sums['not explained']:,} stay unexplained."
)
