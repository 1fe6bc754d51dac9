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
# # The scenario against reality: 3 to 6 February 2026
#
# **Unless your own lake holds these days, every number below is of a simulated market that
# falls as that one did.** `UNDERTOW_LAKE` names a lake; if it holds snapshots of positions and
# bars of BTC from these four days they are judged, else a market is made up here, offline, in
# half a minute. What is made up shows how a map is judged, and nothing of those days.
#
# A map says: if the price goes so far, this is liquidated. Here each snapshot of the fall is
# given, with hindsight, the way that the price then took until the next one. What lay on the
# map within that way was predicted. Position by position, did it come? What was liquidated
# that the map had not? And why?
#
# These cells over real snapshots of those days, a sample of roughly 90 to 480 accounts of the
# leaderboard without any fills (`undertow demo --real`, then `UNDERTOW_LAKE`), said:
#
# | real snapshots, a sample | |
# |---|---|
# | windows | 14, of 5.4 hours in the middle; BTC fell by 8.3 % in the worst |
# | positions that the way reached | 10 of 4,124, with 57.0 of 46,065 million USD |
# | of these 57.0 | 14.3 gone at the next look, 26.6 not seen then, 16.0 at another price |
# | can have been liquidated | at most 47 % of what was seen again |
# | the largest that survived | a long of 9.2 whose size changed, a short of 6.8 that moved |
# | liquidated and not predicted | not known: no fills of those days are in the sample |
#
# Ten positions are no sample to judge a map by: they show that the cells judge real rows.

# %%
import os
import tempfile
from datetime import date

import plotly.graph_objects as go
import polars as pl
from plotly.subplots import make_subplots

from warehouse import open_lake
from warehouse.joint_map import joint_map

pl.Config.set_tbl_rows(30).set_tbl_cols(20).set_fmt_str_lengths(40)
days = {"first": date(2026, 2, 3), "last": date(2026, 2, 6)}
con = open_lake(os.environ["UNDERTOW_LAKE"]) if "UNDERTOW_LAKE" in os.environ else None
looks = """
select count(distinct snapshot_ts)
from snapshots
where
    day between $first and $last
    and exists (from candles where coin = 'BTC' and day between $first and $last)
"""
if con is None or con.sql(looks, params=days).fetchall()[0][0] < 6:
    from pipelines.simulator.small_lake import small_lake

    folder = tempfile.TemporaryDirectory(prefix="undertow-")
    shocks = (
        "2026-02-03T16:00Z=-5%/120m",
        "2026-02-05T13:00Z=-9%/240m",
        "2026-02-05T22:00Z=-7%/120m",
    )
    con = open_lake(small_lake(folder.name, False, days["first"], 4, shocks, accounts=800))
SOURCES = con.sql(
    """
    select string_agg(distinct source, ', ')
    from snapshots
    where day between $first and $last
    """,
    params=days,
).fetchall()[0][0]
made_up = ": a made-up market that falls as that one did" if "simulated" in SOURCES else ""
print(f"{days['first']} to {days['last']}, rows of source {SOURCES}{made_up}")

# %% [markdown]
# ## From one look to the next
#
# One snapshot of every four hours, and the next one after it. What was liquidated between the
# two is known only where every hour of fills is held. Where it is not, a position that is no
# longer there is `gone`: liquidated or closed, nobody can say, and no score is given.

# %%
con.execute(
    """
    create or replace temp table windows as
    with looks as (
        select snapshot_ts
        from snapshots
        where day between $first and $last
        group by snapshot_ts
        qualify row_number() over (
            partition by time_bucket(interval 4 hours, snapshot_ts) order by snapshot_ts
        ) = 1
    ),

    pairs as (
        select snapshot_ts as ts, lead(snapshot_ts) over (order by snapshot_ts) as until_ts
        from looks
        qualify until_ts is not null
    ),

    hours as (
        select h.hour_ts, h.held_to
        from (select min(ts) as since, max(until_ts) as until from pairs) as q,
            lateral (from fill_hours('BTC', q.since, q.until)) as h
    )

    select
        p.ts,
        p.until_ts,
        bool_and(coalesce(
            h.held_to >= least(h.hour_ts + interval 1 hour, p.until_ts), false
        )) as fills_held
    from pairs as p
    inner join hours as h
        on h.hour_ts < p.until_ts and h.hour_ts + interval 1 hour > p.ts
    group by p.ts, p.until_ts
    """,
    days,
)
COINS = [
    coin
    for (coin,) in con.sql(
        """
        select p.coin
        from positions as p
        where
            p.day between $first and $last
            and p.coin in (select c.coin from candles as c where c.day between $first and $last)
        group by p.coin
        order by sum(p.notional) desc
        limit 5
        """,
        params=days,
    ).fetchall()
]
WINDOWS = con.sql("select ts, until_ts from windows order by ts").fetchall()
con.sql(
    """
    select
        count(*) as windows,
        count(*) filter (where fills_held) as with_fills,
        min(ts) as first_ts,
        max(until_ts) as last_ts,
        median(extract('epoch' from until_ts - ts)) / 3600 as typical_hours
    from windows
    """
).pl()

# %% [markdown]
# ## The way that the price took
#
# Liquidations go by the mark. Where marks are held for at least every second minute they are
# the way; else the hourly bars wholly within the window are, at the median of the venues that
# are held, so that a way may have been longer than is known, but not shorter. The marks of
# both snapshots belong to it.

# %%
moments = sorted({ts for window in WINDOWS for ts in window})
for number, coin in enumerate(COINS):
    made = "insert into mapped by name" if number else "create or replace temp table mapped as"
    con.execute(
        f"{made} select $coin as coin, * from positions_at_each($coin, $moments)",
        {"coin": coin, "moments": moments},
    )
con.execute(
    """
    create or replace temp table ways as
    with ends as (
        select coin, ts, any_value(current_px) as px
        from mapped
        group by coin, ts
    ),

    marks as (
        select w.ts, x.coin, min(x.mark_px) as low, max(x.mark_px) as high
        from windows as w
        inner join asset_contexts as x on x.context_ts > w.ts and x.context_ts <= w.until_ts
        where x.day between $first and $last + 1 and list_contains($coins, x.coin)
        group by w.ts, w.until_ts, x.coin
        having count(x.mark_px) >= extract('epoch' from w.until_ts - w.ts) / 120
    ),

    bars as (
        select
            coin,
            start_ts,
            median(low_px) as low_px,
            median(high_px) as high_px
        from candles
        where day between $first and $last + 1 and interval = '1h'
        group by coin, start_ts
    ),

    barred as (
        select w.ts, b.coin, min(b.low_px) as low, max(b.high_px) as high
        from windows as w
        inner join bars as b
            on b.start_ts >= w.ts and b.start_ts + interval 1 hour <= w.until_ts
        group by w.ts, b.coin
    )

    select
        a.coin,
        w.ts,
        w.until_ts,
        w.fills_held,
        a.px,
        least(a.px, z.px, coalesce(m.low, b.low)) as low,
        greatest(a.px, z.px, coalesce(m.high, b.high)) as high,
        if(m.low is null, 'bars', 'marks') as basis
    from windows as w
    inner join ends as a on w.ts = a.ts
    inner join ends as z on w.until_ts = z.ts and a.coin = z.coin
    left join marks as m on w.ts = m.ts and a.coin = m.coin
    left join barred as b on w.ts = b.ts and a.coin = b.coin
    where m.low is not null or b.low is not null
    """,
    days | {"coins": COINS},
)
con.sql(
    """
    select
        coin,
        count(*) as windows,
        string_agg(distinct basis, ', ') as basis,
        arg_min(px, ts) as first_px,
        min(low) as lowest_px,
        round(min((low / px - 1) * 100), 1) as deepest_pct,
        round(max((high / px - 1) * 100), 1) as highest_pct
    from ways
    group by coin
    order by first_px desc
    """
).pl()

# %% [markdown]
# ## Every position and its fate
#
# One row for each position of each map: whether the way reached its price, how much of its mass
# liquidation fills closed (`hit`), how much of the rest is still there at the next look
# (`stays`), at another size or price (`moved`) or as it was (`held`), and how much is not
# (`lost`). Lost is `closed` where fills are held, else `gone`. Whoever the next look does not
# show with any position, and whose fills are not held, is `not seen`: samples ask other
# accounts each time.
#
# The sums are in million USD, at liquidation prices.
#
# Beside it stands what `joint_map` says: it moves all coins together, so that accounts with
# several cross positions are judged as a whole. Its market is BTC, and each coin's beta is 1.

# %%
for number, (ts, _) in enumerate(WINDOWS):
    joint_map(con, "BTC", ts)
    made = "insert into joint by name" if number else "create or replace temp table joint as"
    con.execute(
        f"""
        {made}
        select $ts as ts, account, coin, fall_pct, rise_pct
        from joint_positions
        where list_contains($coins, coin)
        """,
        {"ts": ts, "coins": COINS},
    )
con.execute(
    """
    create or replace temp table forced as
    select
        l.coin,
        w.ts,
        l.account,
        l.side,
        sum(l.size) as size,
        sum(l.notional) as notional,
        min(l.time_ts) as first_ts
    from windows as w
    inner join liquidations as l on l.time_ts > w.ts and l.time_ts <= w.until_ts
    where
        w.fills_held
        and l.day between $first and $last + 1
        and l.method in ('market', 'backstop')
        and list_contains($coins, l.coin)
    group by l.coin, w.ts, l.account, l.side
    """,
    days | {"coins": COINS},
)
con.execute(
    """
    create or replace temp table fates as
    with seen as (
        select distinct w.ts, p.account
        from windows as w
        inner join positions as p on p.snapshot_ts > w.ts and p.snapshot_ts <= w.until_ts
        where p.day between $first and $last + 1
    ),

    followed as (
        select
            m.coin,
            m.ts,
            m.account,
            m.side,
            m.leverage_type,
            m.liquidation_px as px,
            y.px as current_px,
            y.fills_held,
            y.low,
            y.high,
            m.notional as mass,
            if(
                m.side = 'long', m.liquidation_px >= y.low, m.liquidation_px <= y.high
            ) as reached,
            coalesce(
                j.fall_pct <= (1 - b.low / b.px) * 100
                or j.rise_pct <= (b.high / b.px - 1) * 100,
                false
            ) as joint_reached,
            if(
                y.fills_held,
                least(1, coalesce(f.size, 0) / abs(m.size)) * m.notional,
                null
            ) as hit,
            least(1, coalesce(n.size / m.size, 0)) * m.notional as seen_again,
            abs(n.size / m.size - 1) < 0.001 as same_size,
            case
                when n.account is null then null
                when abs(n.size / m.size - 1) < 0.001
                    and abs(n.liquidation_px / m.liquidation_px - 1) < 0.001 then 'held'
                else 'moved'
            end as fate,
            case
                when y.fills_held then 'closed'
                when s.account is null then 'not seen'
                else 'gone'
            end as loss
        from mapped as m
        inner join ways as y on m.coin = y.coin and m.ts = y.ts
        left join ways as b on b.coin = 'BTC' and m.ts = b.ts
        left join joint as j on m.ts = j.ts and m.coin = j.coin and m.account = j.account
        left join mapped as n
            on
                y.until_ts = n.ts
                and m.coin = n.coin
                and m.account = n.account
                and m.side = n.side
        left join forced as f
            on m.ts = f.ts and m.coin = f.coin and m.account = f.account and m.side = f.side
        left join seen as s on m.ts = s.ts and m.account = s.account
        where m.liquidation_px is not null
    )

    select
        *,
        least(seen_again, mass - coalesce(hit, 0)) as stays,
        mass - coalesce(hit, 0) - least(seen_again, mass - coalesce(hit, 0)) as lost
    from followed
    """,
    days,
)
con.sql(
    """
    select
        reached,
        count(*) as positions,
        round(sum(mass) / 1e6, 2) as mass,
        round(sum(hit) / 1e6, 2) as hit,
        round(sum(lost) filter (where loss = 'closed') / 1e6, 2) as closed,
        round(sum(lost) filter (where loss = 'gone') / 1e6, 2) as gone,
        round(sum(lost) filter (where loss = 'not seen') / 1e6, 2) as not_seen,
        round(sum(stays) filter (where fate = 'moved') / 1e6, 2) as moved,
        round(sum(stays) filter (where fate = 'held') / 1e6, 2) as held
    from fates
    group by reached
    order by reached desc
    """
).pl()

# %% [markdown]
# ## The score of each snapshot
#
# In million USD. `predicted`: the map's mass within the way, all coins. Of it `hit` was
# liquidated, the rest closed, moved, or stayed. `came`: what was liquidated in all, at the
# prices of the fills. `kept` = hit / predicted, how much of what was said came true; `told` =
# the share of `came` that had been said. Both are null where fills are not held; `kept_at_most`
# is then the share that is gone, of those who were seen again. A sample cannot tell an account
# that lost all it had from one that was not asked again: both are `not_seen`.

# %%
con.execute(
    """
    create or replace temp table scores as
    with said as (
        select
            ts,
            bool_and(fills_held) as fills_held,
            coalesce(sum(mass) filter (where reached), 0) as predicted,
            coalesce(sum(mass) filter (where joint_reached), 0) as joint_predicted,
            if(
                bool_and(fills_held), coalesce(sum(hit) filter (where joint_reached), 0), null
            ) as joint_hit,
            if(bool_and(fills_held), coalesce(sum(hit) filter (where reached), 0), null) as hit,
            coalesce(sum(lost) filter (where reached and loss = 'closed'), 0) as closed,
            coalesce(sum(stays) filter (where reached and fate = 'moved'), 0) as moved,
            coalesce(sum(stays) filter (where reached and fate = 'held'), 0) as held,
            coalesce(sum(lost) filter (where reached and loss = 'gone'), 0) as gone,
            coalesce(sum(lost) filter (where reached and loss = 'not seen'), 0) as not_seen
        from fates
        group by ts
    ),

    happened as (
        select
            f.ts,
            sum(f.notional) as came,
            sum(f.notional) filter (where m.reached) as came_told
        from forced as f
        left join fates as m
            on f.ts = m.ts and f.coin = m.coin and f.account = m.account and f.side = m.side
        group by f.ts
    )

    select
        s.*,
        if(s.fills_held, coalesce(h.came, 0), null) as came,
        if(s.fills_held, coalesce(h.came - coalesce(h.came_told, 0), 0), null) as untold,
        s.hit / nullif(s.predicted, 0) as kept,
        if(s.fills_held, coalesce(h.came_told, 0) / nullif(h.came, 0), null) as told,
        if(s.fills_held, null, s.gone / nullif(s.predicted - s.not_seen, 0)) as kept_at_most
    from said as s
    left join happened as h on s.ts = h.ts
    order by s.ts
    """
)
con.sql(
    """
    select
        strftime(s.ts, '%m-%d %H:%M') as utc,
        round((y.low / y.px - 1) * 100, 1) as btc_pct,
        round(s.predicted / 1e6, 2) as predicted,
        round(s.hit / 1e6, 2) as hit,
        round(s.closed / 1e6, 2) as closed,
        round(s.moved / 1e6, 2) as moved,
        round(s.held / 1e6, 2) as held,
        round(s.gone / 1e6, 2) as gone,
        round(s.not_seen / 1e6, 2) as not_seen,
        round(s.came / 1e6, 2) as came,
        round(s.kept, 2) as kept,
        round(s.told, 2) as told,
        round(s.kept_at_most, 2) as kept_at_most
    from scores as s
    left join ways as y on s.ts = y.ts and y.coin = 'BTC'
    order by s.ts
    """
).pl()

# %%
scores = con.sql(
    """
    select s.*, y.px, y.low, y.high
    from scores as s
    left join ways as y on s.ts = y.ts and y.coin = 'BTC'
    order by s.ts
    """
).pl()
shown = (
    ("hit", "predicted and liquidated", "#2fb98f", 1),
    ("gone", "predicted and gone, fills not held", "#a5d8c5", 1),
    ("closed", "predicted, closed", "#c9ced6", 1),
    ("moved", "predicted, moved", "#d8c032", 1),
    ("held", "predicted, still there", "#f08a3c", 1),
    ("not_seen", "predicted, account not seen again", "#6c757d", 1),
    ("untold", "liquidated, not predicted", "#d1495b", -1),
)
figure = make_subplots(
    rows=2, shared_xaxes=True, vertical_spacing=0.06, row_heights=[0.35, 0.65]
)
figure.add_scatter(
    x=scores["ts"], y=scores["px"], line_color="#22313f", showlegend=False, row=1, col=1
)
for name, label, colour, sign in shown:
    if scores[name].fill_null(0).sum() > 0:
        figure.add_bar(
            x=scores["ts"],
            y=sign * scores[name] / 1e6,
            name=label,
            marker_color=colour,
            row=2,
            col=1,
        )
figure.update_yaxes(title_text="BTC, USD", tickformat=",.0f", row=1, col=1)
figure.update_yaxes(title_text="million USD", row=2, col=1)
figure.update_layout(
    title=f"What each snapshot had said, and what came until the next ({SOURCES})",
    barmode="relative",
    legend={"orientation": "h", "y": -0.08, "yanchor": "top"},
    template="plotly_white",
    height=600,
)
figure

# %%
judged = scores.filter("fills_held")
if judged.height:
    print(
        f"What it says: of {judged['predicted'].sum() / 1e6:.2f} million USD that lay within "
        f"the ways, {judged['hit'].sum() / judged['predicted'].sum():.0%} was liquidated; of "
        f"{judged['came'].sum() / 1e6:.2f} million liquidated, "
        f"{1 - judged['untold'].sum() / judged['came'].sum():.0%} had been on the map there."
    )
rest = scores.filter(~pl.col("fills_held"))
if rest.height:
    print(
        f"What it says: fills are not held of {rest.height} of {scores.height} windows; of "
        f"{rest['predicted'].sum() / 1e6:.2f} million USD that lay within their ways, at most "
        f"{rest['gone'].sum() / (rest['predicted'] - rest['not_seen']).sum():.0%} of what was "
        "seen again can have been liquidated."
    )

# %% [markdown]
# ## Calibration
#
# How far the price went, as a share of the distance to each position's liquidation price (in
# logarithms): at 1 it was met. A perfect map is a step: nothing liquidated to the left of 1,
# everything to the right, but for what its holders closed or moved before. Accounts that were
# not seen again are left out.

# %%
reach = con.sql(
    """
    with distances as (
        select
            *,
            if(px > 0, case
                when side = 'long' and px >= current_px or side = 'short' and px <= current_px
                    then 99
                when side = 'long' then ln(low / current_px) / ln(px / current_px)
                else ln(high / current_px) / ln(px / current_px)
            end, 0) as reach
        from fates
        where fate is not null or loss != 'not seen'
    ),

    banded as (
        select
            *,
            list_position([0.25, 0.5, 0.75, 0.9, 1, 1.1, 1.25, 1.5, 1e9], list_filter(
                [0.25, 0.5, 0.75, 0.9, 1, 1.1, 1.25, 1.5, 1e9], lambda edge: reach < edge
            )[1]) as band
        from distances
    )

    select
        band,
        [
            'under 0.25', '0.25–0.5', '0.5–0.75', '0.75–0.9', '0.9–1', '1–1.1', '1.1–1.25',
            '1.25–1.5', 'over 1.5'
        ][band] as reach,
        count(*) as positions,
        sum(mass) as mass,
        coalesce(sum(hit), 0) / sum(mass) as liquidated,
        coalesce(sum(lost) filter (where loss = 'gone'), 0) / sum(mass) as gone,
        coalesce(sum(lost) filter (where loss = 'closed'), 0) / sum(mass) as closed,
        coalesce(sum(stays) filter (where fate = 'moved'), 0) / sum(mass) as moved,
        coalesce(sum(stays) filter (where fate = 'held'), 0) / sum(mass) as held
    from banded
    group by band
    order by band
    """
).pl()
figure = go.Figure()
for name, label, colour in (
    ("liquidated", "liquidated", "#d1495b"),
    ("gone", "gone, fills not held", "#e8a0a9"),
    ("closed", "closed", "#c9ced6"),
    ("moved", "moved", "#d8c032"),
    ("held", "still there", "#2fb98f"),
):
    if reach[name].sum() > 0:
        figure.add_bar(
            x=[
                f"{band}<br>n = {count:,}"
                for band, count in reach.select("reach", "positions").rows()
            ],
            y=reach[name],
            name=label,
            marker_color=colour,
        )
figure.add_vline(
    reach.filter(pl.col("band") <= 5).height - 0.5, line_dash="dot", line_color="#22313f"
)
figure.update_layout(
    title=f"Fate of the mass, by how far the price went towards it ({SOURCES})",
    xaxis_title="way of the price, of the distance to liquidation",
    yaxis={"title": "share of the mass", "tickformat": ".0%"},
    barmode="stack",
    legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom"},
    template="plotly_white",
    height=460,
)
figure

# %% [markdown]
# ## Static scenario and joint map
#
# `cascade_scenarios` of BTC for the whole per cent above the fall of each window that fell by
# 2 % or more, against the longs of BTC that the exact way reached; and over all coins what the
# static prices and the joint map had said, against what came of each. All in million USD; both
# maps are the mass of positions that have a liquidation price, at that price.

# %%
con.sql(
    """
    with fallen as (
        select *
        from ways
        where coin = 'BTC' and low < px * 0.98
    ),

    exact as (
        select ts, sum(mass) as reached, sum(hit) as hit
        from fates
        where coin = 'BTC' and side = 'long' and reached
        group by ts
    )

    select
        strftime(f.ts, '%m-%d %H:%M') as utc,
        s.pct,
        round(s.notional / 1e6, 2) as scenario,
        round(e.reached / 1e6, 2) as reached,
        round(e.hit / 1e6, 2) as hit,
        round(c.predicted / 1e6, 2) as static_all,
        round(c.hit / 1e6, 2) as static_hit,
        round(c.joint_predicted / 1e6, 2) as joint_all,
        round(c.joint_hit / 1e6, 2) as joint_hit,
        round(c.came / 1e6, 2) as came_all
    from fallen as f
    inner join scores as c on f.ts = c.ts
    left join exact as e on f.ts = e.ts,
        lateral (
            from cascade_scenarios(
                'BTC', f.ts, pcts := [least(50, ceil((1 - f.low / f.px) * 100))::integer]
            )
            where direction = 'down'
        ) as s
    order by f.ts
    """
).pl()

# %% [markdown]
# ## The worst misses, and their cause
#
# Two kinds: said and did not come, and came and was not said. A cause is read from the rows,
# the first that fits: the position was liquidated in part and the rest was spared; it was
# closed, or its size changed; its price moved at the same size (margin was added, or other
# coins of a cross account gained); the price was met, or missed, by less than half a per cent;
# other coins held the account up or pulled it down, as the joint map has it; it traded after
# the snapshot. What none of them explains says so. Where fills are not held, what is gone is no
# miss: it may have come.

# %%
con.execute(
    """
    create or replace temp table misses as
    with traded as (
        select distinct f.ts, f.coin, f.account
        from forced as f
        inner join fills as t
            on f.account = t.account and t.time_ts > f.ts and t.time_ts < f.first_ts
        where t.day between $first and $last + 1 and t.liquidation_method is null
    )

    select
        m.ts,
        m.coin,
        m.side,
        m.account,
        'said, did not come' as kind,
        m.stays + if(m.fills_held, m.lost, 0) as usd,
        case
            when m.hit > 0 then 'liquidated in part'
            when m.fate is null then 'closed, not liquidated'
            when m.fate = 'moved' and not m.same_size then 'its size changed'
            when m.fate = 'moved' then 'same size, its price moved'
            when if(m.side = 'long', m.px / m.low, m.high / m.px) < 1.005
                then 'met by less than 0.5 %'
            when not m.joint_reached then 'held up by its other coins'
            else 'not explained'
        end as cause
    from fates as m
    where m.reached and m.stays + if(m.fills_held, m.lost, 0) > 1
    union all
    select
        f.ts,
        f.coin,
        f.side,
        f.account,
        'came, was not said' as kind,
        f.notional as usd,
        case
            when m.account is null and p.account is not null then 'no price on the map'
            when m.account is null then 'opened after the snapshot'
            when t.account is not null then 'traded after the snapshot'
            when m.joint_reached then 'on the joint map: other coins'
            when if(m.side = 'long', m.low / m.px, m.px / m.high) < 1.005
                then 'missed by less than 0.5 %'
            when m.leverage_type = 'cross' then 'cross, not on the joint map'
            else 'not explained'
        end as cause
    from forced as f
    left join fates as m
        on f.ts = m.ts and f.coin = m.coin and f.account = m.account and f.side = m.side
    left join mapped as p
        on f.ts = p.ts and f.coin = p.coin and f.account = p.account and f.side = p.side
    left join traded as t on f.ts = t.ts and f.coin = t.coin and f.account = t.account
    where not coalesce(m.reached, false)
    """,
    days,
)
con.sql(
    """
    select
        strftime(ts, '%m-%d %H:%M') as utc,
        coin,
        side,
        left(account, 10) as account,
        kind,
        round(usd) as usd,
        cause
    from misses
    order by usd desc
    limit 12
    """
).pl()

# %%
con.sql(
    """
    select
        kind,
        cause,
        count(*) as positions,
        round(sum(usd) / 1e6, 3) as musd,
        round(100 * sum(usd) / sum(sum(usd)) over (partition by kind), 1) as share_pct
    from misses
    group by kind, cause
    order by kind, musd desc
    """
).pl()
