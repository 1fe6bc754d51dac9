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
# # Anatomy of a crash: 10 October 2025
#
# **Unless your own lake holds that day, every number below is of a simulated market that is
# given a shock of its shape.** `UNDERTOW_LAKE` names a lake; if it holds liquidations of
# 2025-10-10 they are taken apart, else three days are made up here, offline, in half a minute.
# What is made up shows how the questions work, and nothing of that day.
#
# What is known of the day itself, by replays of the node's own files (HyperReplay's, read on
# 2026-08-22; `autodeleveraging-analysis` works on the same): in 12 minutes from 21:15:03 UTC
# there were 63,637 liquidation events of 5.51 billion USD and 34,983 of ADL, 2.10 billion, in
# 162 coins; the first ADL came 61.7 seconds after the first of those liquidations.
#
# These cells over a sample of that day, 36,802 fills of some vault accounts in the node's own
# files (`undertow ingest fills`, then `UNDERTOW_LAKE`), said:
#
# | real fills, a sample | |
# |---|---|
# | BTC's cascade | 21:12 to 21:21 UTC: 3.90 million USD of longs, 216 fills, 76 accounts |
# | fastest minute | 21:13, with 2.11 million USD |
# | price | 113,962 before, 100,837 at 21:20:08 (-11.5 %); it then came back by 111 % of that |
# | in the book, all coins | 1,481 fills of 549 accounts in 135 coins, 40.1 million USD |
# | taken over by the vault | 171 fills, 3.7 million USD, the first after 73 seconds |
# | auto-deleveraged | 263 fills, 1.1 million USD in 94 coins, the first after 237 seconds |
# | given up by forced orders | 94, 188 and 102 bp in the median of three five minutes |
# | map, scenario, score | not known: the sample has no snapshot, book or context |
#
# The sample's first ADL is later than the venue's, for it lacks most accounts.

# %%
import os
import tempfile
from datetime import UTC, date, datetime

import plotly.graph_objects as go
import polars as pl
from plotly.subplots import make_subplots

from warehouse import open_lake

pl.Config.set_tbl_rows(30).set_tbl_cols(20).set_fmt_str_lengths(40)
COIN, DAY = "BTC", date(2025, 10, 10)
con = open_lake(os.environ["UNDERTOW_LAKE"]) if "UNDERTOW_LAKE" in os.environ else None
there = "from liquidations where day = $day and coin = $coin limit 1"
if con is None or not con.sql(there, params={"day": DAY, "coin": COIN}).fetchall():
    from pipelines.simulator.small_lake import small_lake

    folder = tempfile.TemporaryDirectory(prefix="undertow-")
    shocks = ("2025-10-10T20:50Z=-3%/25m", "2025-10-10T21:15Z=-13%/6m")
    start = date(2025, 10, 9)
    con = open_lake(small_lake(folder.name, True, start, 3, shocks, accounts=800))
span = {
    "coin": COIN,
    "day": DAY,
    "since": datetime(2025, 10, 10, 20, 30, tzinfo=UTC),
    "until": datetime(2025, 10, 10, 22, 30, tzinfo=UTC),
}
SOURCES = con.sql(
    "select string_agg(distinct source, ', ') from liquidations where day = $day",
    params={"day": DAY},
).fetchall()[0][0]
made_up = ": a made-up market with a shock of that shape" if "simulated" in SOURCES else ""
print(f"{DAY}, rows of source {SOURCES}{made_up}")

# %% [markdown]
# ## Minute by minute
#
# The last trade of each minute, and what was liquidated in it, by the side of the position.
# What the vault took over and what ADL closed has a price that nobody could trade at: it is
# not in the line.

# %%
minutes = con.sql(
    """
    with traded as (
        select date_trunc('minute', time_ts) as ts, arg_max(px, time_ts) as px
        from fills
        where
            day = $day
            and coin = $coin
            and coalesce(liquidation_method, 'market') = 'market'
            and time_ts >= $since
            and time_ts < $until
        group by ts
    ),

    forced as (
        select
            date_trunc('minute', time_ts) as ts,
            sum(notional) filter (where side = 'long') / 1e6 as longs,
            sum(notional) filter (where side = 'short') / 1e6 as shorts
        from liquidations_between($coin, $since, $until)
        group by ts
    )

    select *
    from traded
    full join forced using (ts)
    order by ts
    """,
    params=span,
).pl()
figure = make_subplots(rows=2, shared_xaxes=True, vertical_spacing=0.06)
figure.add_scatter(
    x=minutes["ts"], y=minutes["px"], line_color="#22313f", showlegend=False, row=1, col=1
)
for side, colour in (("longs", "#2fb98f"), ("shorts", "#e5645f")):
    figure.add_bar(
        x=minutes["ts"],
        y=minutes[side],
        name=f"{side} liquidated",
        marker={"color": colour, "line": {"width": 0}},
        row=2,
        col=1,
    )
figure.update_yaxes(title_text="price, USD", tickformat=",.0f", row=1, col=1)
figure.update_yaxes(title_text="million USD a minute", row=2, col=1)
figure.update_layout(
    title=f"{COIN}, {DAY}, UTC ({SOURCES})",
    barmode="stack",
    legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom"},
    template="plotly_white",
    height=520,
)
figure

# %%
worst = minutes.drop_nulls("longs").sort("longs").tail(1).row(0, named=True)
print(
    f"What it says: of {minutes['longs'].sum():,.2f} million USD of longs and "
    f"{minutes['shorts'].sum():,.2f} of shorts, {worst['longs']:,.2f} went in the minute of "
    f"{worst['ts']:%H:%M}."
)

# %% [markdown]
# ## The cascade
#
# `cascades` finds runs of minutes in which a coin is liquidated much faster than in its own
# week before (`docs/definitions.md`, "Flow and cascades"); `min_held` lets a lake answer that
# holds the day and little before it. The largest of the evening is the one that is taken apart
# from here on.

# %%
cascade = con.sql(
    """
    select
        start_ts,
        last_ts,
        side,
        round(notional) as notional,
        liquidations,
        accounts,
        peak_ts,
        round(peak_velocity) as peak_velocity,
        px_before,
        px_worst,
        worst_ts,
        round(move_pct, 1) as move_pct,
        round(recovery_pct) as recovery_pct,
        round(backstop_notional) as backstop_notional,
        round(adl_notional) as adl_notional
    from cascades($coin, $since - interval 6 hours, $until, min_held := 0.05)
    order by notional desc
    limit 1
    """,
    params={name: span[name] for name in ("coin", "since", "until")},
).pl()
BEGAN, ENDED = cascade.select("start_ts", "last_ts").row(0)
cascade.with_columns(pl.col(pl.Datetime).dt.strftime("%H:%M:%S")).transpose(
    include_header=True, header_name="column", column_names=["value"]
)

# %% [markdown]
# ## Its score, and the market around it
#
# `liquidation_flow` puts beside each five minutes what open interest and the book did. The
# score needs all of them; without contexts or books it is not known, and `score_at_least`
# takes 0 for what is missing.

# %%
flow = con.sql(
    """
    select
        ts,
        velocity,
        velocity_ratio,
        cascade_score,
        score_at_least,
        open_interest,
        depth
    from liquidation_flow(
        $coin, $since, $until, every := interval 5 minutes, min_held := 0.05
    )
    order by ts
    """,
    params={name: span[name] for name in ("coin", "since", "until")},
).pl()
score = "cascade_score" if flow["cascade_score"].count() else "score_at_least"
panels = {
    score: score.replace("_", " "),
    "open_interest": f"open interest, {COIN}",
    "depth": "USD within 0.1 %",
}
known = [name for name in panels if flow[name].count()]
figure = make_subplots(rows=max(1, len(known)), shared_xaxes=True, vertical_spacing=0.05)
for row, name in enumerate(known, 1):
    if name == score:
        figure.add_bar(x=flow["ts"], y=flow[name], marker_color="#d1495b", row=row, col=1)
    else:
        figure.add_scatter(x=flow["ts"], y=flow[name], line_color="#22313f", row=row, col=1)
    figure.update_yaxes(
        title_text=panels[name],
        rangemode="normal" if name == "open_interest" else "tozero",
        row=row,
        col=1,
    )
figure.update_layout(
    title=f"{COIN}: each five minutes of {DAY}, UTC ({SOURCES})",
    showlegend=False,
    template="plotly_white",
    height=180 + 150 * len(known),
)
figure

# %%
for name, what, unit in (
    ("open_interest", "open interest", COIN),
    ("depth", "what rests within 0.1 % of the mid", "USD"),
):
    rows = flow.drop_nulls(name)
    print(
        f"What it says: {what} was not known."
        if rows.is_empty()
        else f"What it says: {what} went from {rows[name][0]:,.0f} {unit} to "
        f"{rows[name].min():,.0f} at the least, and {rows[name][-1]:,.0f} in the end."
    )

# %% [markdown]
# ## Open interest before and after, by coin
#
# One-sided, in coins, so that the fall of the price is not counted as closing. Null: the
# venue's contexts are not held.

# %%
con.sql(
    """
    with hit as (
        select coin, sum(notional) as liquidated
        from liquidations
        where day = $day and time_ts >= $began and time_ts < $ended
        group by coin
        order by liquidated desc
        limit 8
    )

    select
        h.coin,
        round(h.liquidated / 1e6, 2) as liquidated_musd,
        round(b.open_interest) as before,
        round(a.open_interest) as after,
        round((a.open_interest / b.open_interest - 1) * 100, 1) as change_pct,
        round((a.mark_px / b.mark_px - 1) * 100, 1) as mark_change_pct
    from hit as h
    left join lateral (from context_asof(h.coin, $began, coin_by := $ended)) as b on true
    left join lateral (from context_asof(h.coin, $ended + interval 30 minutes)) as a on true
    order by h.liquidated desc
    """,
    params={"day": DAY, "began": BEGAN, "ended": ENDED},
).pl()

# %% [markdown]
# ## The map before, and what became of it
#
# The last snapshot before the cascade against the first after it. `map_changes` follows each
# position: liquidated, closed otherwise, moved to another price, or still there. The mass
# of longs is put where its liquidation price lay *before*; the shade is where the price went.
# Who was liquidated in part counts as liquidated with that part alone.

# %%
BEFORE, AFTER = con.sql(
    """
    select
        coalesce(max(snapshot_ts) filter (where snapshot_ts <= $began), $began),
        coalesce(min(snapshot_ts) filter (where snapshot_ts >= $ended), $ended)
    from snapshots
    where day between $day - 1 and $day + 1
    """,
    params={"day": DAY, "began": BEGAN, "ended": ENDED},
).fetchall()[0]
maps = {"coin": COIN, "before": BEFORE, "after": AFTER}
LOW, HIGH = cascade.select("px_worst", "px_before").row(0)
mass = con.sql(
    """
    select
        px_low,
        px_high,
        liquidated,
        coalesce(closed, gone) as closed,
        moved_out,
        held,
        not_seen
    from map_changes($coin, $before, $after, width_pct := 1)
    where side = 'long' and from_notional > 0 and px_low > $low * 0.85
    order by px_low
    """,
    params=maps | {"low": min(LOW, HIGH)},
).pl()
figure = go.Figure()
for name, label, colour in (
    ("liquidated", "liquidated", "#d1495b"),
    ("closed", "closed", "#8a8f98"),
    ("moved_out", "liquidation price moved", "#d8c032"),
    ("held", "still there", "#2fb98f"),
):
    figure.add_bar(
        x=(mass["px_low"] + mass["px_high"]) / 2,
        y=mass[name] / 1e6,
        width=(mass["px_high"] - mass["px_low"]) * 0.9,
        name=label,
        marker_color=colour,
    )
figure.add_vrect(LOW, HIGH, fillcolor="#22313f", opacity=0.07, line_width=0, layer="below")
figure.update_layout(
    title=f"{COIN}: longs mapped at {BEFORE:%H:%M}, by their fate at {AFTER:%H:%M} ({SOURCES})",
    xaxis={"title": "liquidation price before, USD", "tickformat": ",.0f"},
    yaxis_title="million USD",
    barmode="stack",
    legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom"},
    template="plotly_white",
    height=440,
)
figure

# %%
reached = con.sql(
    """
    select
        side,
        sum(from_notional) as mapped,
        sum(liquidated) as liquidated,
        sum(closed) as closed,
        sum(moved_out) as moved,
        sum(held) as held,
        sum(not_seen) as not_seen
    from map_changes($coin, $before, $after, width_pct := 0.1)
    where side = 'long' and px_low >= $low
    group by side
    """,
    params=maps | {"low": min(LOW, HIGH)},
).pl()
reached

# %%
for row in reached.drop_nulls().iter_rows(named=True):
    parts = ", ".join(
        f"{row[name] / row['mapped']:.0%} {said}"
        for name, said in (
            ("liquidated", "was liquidated"),
            ("closed", "was closed without a liquidation"),
            ("moved", "has another price now"),
            ("held", "is still there"),
        )
    )
    print(
        f"What it says: of {row['mapped'] / 1e6:.2f} million USD of longs on the map within "
        f"the fall, {parts}."
    )
if reached.is_empty():
    print("What it says: nothing; no snapshot of positions is held around the cascade.")

# %% [markdown]
# ## What a static scenario had said
#
# `cascade_scenarios` at the snapshot before, asked with hindsight for the move that each coin
# then made, between the two whole percentages around it (50 at the most): what lay on the map
# within it, against what was liquidated until the end. What was liquidated beyond it came from
# accounts that the price of one coin alone does not tell of: cross margin that other coins ate
# up, and positions opened on the way. No row: no snapshot is held.

# %%
con.sql(
    """
    with moved as (
        select
            f.coin,
            arg_min(f.px, f.time_ts) as first_px,
            min(f.px) as worst_px
        from fills as f
        where
            f.day = $day
            and coalesce(f.liquidation_method, 'market') = 'market'
            and f.time_ts >= $before
            and f.time_ts < $ended
        group by f.coin
        having worst_px < first_px
    ),

    happened as (
        select
            coin,
            sum(notional) as liquidated,
            sum(notional) filter (where method = 'market') as in_the_book
        from liquidations
        where
            day = $day
            and side = 'long'
            and method != 'adl'
            and time_ts >= $before
            and time_ts < $ended
        group by coin
    )

    select
        m.coin,
        s.current_px as px_before,
        m.worst_px,
        round((m.worst_px / s.current_px - 1) * 100, 1) as move_pct,
        round(s.at_least / 1e6, 3) as at_least_musd,
        round(s.at_most / 1e6, 3) as at_most_musd,
        round(h.liquidated / 1e6, 3) as liquidated_musd,
        round(h.in_the_book / 1e6, 3) as in_the_book_musd
    from moved as m
    inner join happened as h using (coin),
        lateral (from current_px(m.coin, $before, coin_by := $ended)) as c,
        lateral (
            select least(49, greatest(1, floor((1 - m.worst_px / c.px) * 100)))::integer as pct
        ) as w,
        lateral (
            select
                any_value(current_px) as current_px,
                min(notional) as at_least,
                max(notional) as at_most
            from cascade_scenarios(
                m.coin, $before, pcts := [w.pct, w.pct + 1], coin_by := $ended
            )
            where direction = 'down'
        ) as s
    order by h.liquidated desc
    limit 8
    """,
    params={"day": DAY, "before": BEFORE, "ended": ENDED},
).pl()

# %% [markdown]
# ## Backstop and ADL
#
# What the book cannot take, the liquidator vault takes over; where that is not enough, winners
# are closed against it. Seconds are counted from the first forced closing of any coin in the
# cascade.

# %%
methods = con.sql(
    """
    select
        method,
        count(*) as events,
        count(distinct coin) as coins,
        count(distinct account) as accounts,
        round(sum(notional)) as notional,
        extract('epoch' from min(time_ts) - min(min(time_ts)) over ()) as first_after_s,
        extract('epoch' from max(time_ts) - min(min(time_ts)) over ()) as last_after_s
    from liquidations
    where day = $day and time_ts >= $began and time_ts < $ended
    group by method
    order by first_after_s
    """,
    params={"day": DAY, "began": BEGAN, "ended": ENDED},
).pl()
methods

# %%
print(
    f"What it says: from the first to the last forced closing "
    f"{methods['last_after_s'].max() / 60:.0f} minutes passed; "
    + (
        f"the first ADL came after {methods.filter(method='adl')['first_after_s'].item():,.0f} "
        "seconds."
        if "adl" in methods["method"]
        else "there was no ADL."
    )
)

# %% [markdown]
# ## What forced orders gave up, and what the book would have taken
#
# Of liquidations in the book, the price of the fill against the mark that triggered them, in
# basis points of the mark; above 0 is worse for the one who is liquidated.

# %%
con.sql(
    """
    select
        time_bucket(interval 5 minutes, time_ts) as ts,
        count(*) as fills,
        round(sum(notional)) as notional,
        round(median((1 - px / mark_px) * 1e4), 1) as median_bp,
        round(quantile_cont((1 - px / mark_px) * 1e4, 0.9), 1) as p90_bp,
        round(sum(notional * (1 - px / mark_px)) / sum(notional) * 1e4, 1) as weighted_bp
    from liquidations_between($coin, $began, $ended)
    where method = 'market' and side = 'long' and mark_px is not null
    group by ts
    order by ts
    """,
    params={"coin": COIN, "began": BEGAN, "ended": ENDED},
).pl()

# %% [markdown]
# The recorded book of three moments, walked down by a sale: basis points under the mid that it
# would have given up. Null: the reading ends before the order is filled. No row: no book.

# %%
con.sql(
    """
    with books as (
        select m.said, b.book_ts, b.mid_px, b.bids
        from (
            values
                ('before', $began - interval 5 minutes),
                ('at the worst', $worst::timestamptz),
                ('an hour after', $ended + interval 1 hour)
        ) as m (said, ts), lateral (from book_asof($coin, m.ts)) as b
    ),

    levels as (
        select b.said, b.book_ts, b.mid_px, unnest(b.bids) as level
        from books as b
    ),

    rising as (
        select
            l.*,
            l.level.px * l.level.size as usd,
            sum(l.level.px * l.level.size) over (
                partition by l.said order by l.level.px desc
            ) as until_usd
        from levels as l
    ),

    taken as (
        select
            r.*,
            o.order_usd,
            greatest(0, least(r.usd, o.order_usd - r.until_usd + r.usd)) as part_usd
        from rising as r
        cross join (values (10000), (50000), (250000)) as o (order_usd)
    )

    select
        t.said,
        t.book_ts,
        t.mid_px,
        t.order_usd,
        if(
            sum(t.part_usd) >= t.order_usd - 1e-6,
            round((1 - sum(t.part_usd) / sum(t.part_usd / t.level.px) / t.mid_px) * 1e4, 1),
            null
        ) as given_up_bp
    from taken as t
    group by t.said, t.book_ts, t.mid_px, t.order_usd
    order by t.book_ts, t.order_usd
    """,
    params={
        "coin": COIN,
        "began": BEGAN,
        "worst": cascade["worst_ts"].item(),
        "ended": ENDED,
    },
).pl()
