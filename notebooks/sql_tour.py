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
# # A tour of the SQL
#
# Every question that the lake answers, asked once. They are DuckDB table macros: they can be
# selected from, joined, and called for each row of another table. `docs/dictionary.md` says
# what each column means, `docs/definitions.md` how each number is made.
#
# `UNDERTOW_LAKE` names the lake that is asked. Without it a small simulated market is made
# here offline, in some 15 seconds, and the questions take the rest of a minute; its numbers say
# how the questions work, and nothing of any real market.

# %%
import os
import tempfile

import plotly.graph_objects as go
import polars as pl

from warehouse import open_lake

lake = os.environ.get("UNDERTOW_LAKE")
if lake is None:
    from pipelines.simulator.small_lake import small_lake

    folder = tempfile.TemporaryDirectory(prefix="undertow-")
    lake = small_lake(folder.name, books=True)
con = open_lake(lake)

# %% [markdown]
# ## What there is
#
# Tables are views over Parquet. `parts` tells of every file, `gaps` what is missing, and the
# catalog itself says what each relation is.

# %%
con.sql(
    """
    select
        table_name,
        count(*) as parts,
        sum(rows)::bigint as rows,
        min(day) as first_day,
        max(day) as last_day
    from parts
    where superseded_ts is null
    group by table_name
    order by table_name
    """
).pl()

# %%
con.sql(
    """
    select function_name as question, parameters, string_split(comment, chr(10))[1] as what
    from duckdb_functions()
    where not internal and function_type = 'table_macro'
    order by question
    """
).pl()

# %%
con.sql("select reason, table_name, count(*) as days from gaps group by all order by all").pl()

# %% [markdown]
# The tour looks at one coin, at its wildest hour and at the newest moment.

# %%
COIN, PEAK = con.sql(
    """
    select coin, date_trunc('hour', time_ts) as hour_ts
    from liquidations
    group by coin, hour_ts
    order by sum(notional) desc
    limit 1
    """
).fetchall()[0]
SINCE, AT, SOURCES = con.sql(
    """
    select min(snapshot_ts), max(snapshot_ts), string_agg(distinct source, ', ')
    from snapshots
    """
).fetchall()[0]
FROM, UNTIL = con.sql(
    "select $peak - interval 6 hours, $peak + interval 9 hours", params={"peak": PEAK}
).fetchall()[0]
now = {"coin": COIN, "at": AT}
wild = {"coin": COIN, "at": PEAK}
span = {"coin": COIN, "since": FROM, "until": UNTIL}
print(f"{COIN}, {PEAK:%Y-%m-%d %H}:00 and {AT:%Y-%m-%d %H:%M} UTC, of source {SOURCES}")

# %% [markdown]
# ## What answers for a moment
#
# An answer for a moment uses nothing from after it. `snapshot_at` says which snapshot
# answers. With `knowable := true` it is one that had been published by then, as a backtest
# must ask: every question takes it.

# %%
con.sql(
    """
    select 'true then' as asked, * from snapshot_at($coin, $at)
    union all
    select 'published then', * from snapshot_at($coin, $at, knowable := true)
    """,
    params=wild,
).pl()

# %% [markdown]
# A complete snapshot answers alone: one row without an account. Sweeps merge account by
# account; then `states_at` names the answer that each account is read from.

# %%
con.sql("from states_at($coin, $at) limit 5", params=wild).pl()

# %%
con.sql("from current_px($coin, $at)", params=wild).pl()

# %%
con.sql("from positions_at($coin, $at) order by notional desc limit 5", params=wild).pl()

# %% [markdown]
# The same of a whole dex, of all coins, and of several moments at once.

# %%
con.sql(
    """
    select coin, count(*) as positions, sum(abs(size) * mark_px) as notional
    from dex_positions_at($coin, $at)
    group by coin
    order by notional desc
    limit 5
    """,
    params=wild,
).pl()

# %%
con.sql(
    """
    select
        dex,
        count(distinct coin) as coins,
        count(distinct account) as accounts,
        count(*) as positions
    from all_positions_at($at)
    group by dex
    """,
    params={"at": PEAK},
).pl()

# %%
con.sql(
    """
    select
        ts,
        snapshot_ts,
        count(*) as positions,
        sum(notional) as notional,
        any_value(current_px) as px
    from positions_at_each($coin, [$since, $until])
    group by ts, snapshot_ts
    order by ts
    """,
    params=span,
).pl()

# %% [markdown]
# ## Maps
#
# `liquidation_map` puts every position with a liquidation price into a bucket; notional is
# USD where the position closes. `liquidation_clusters` finds where mass lies together,
# largest first.

# %%
con.sql(
    """
    from liquidation_map($coin, $at, width_pct := 1)
    where abs(distance_pct) < 20
    order by notional desc
    limit 6
    """,
    params=wild,
).pl()

# %%
con.sql("from liquidation_clusters($coin, $at) limit 6", params=wild).pl()

# %% [markdown]
# `levels_at` is what was binned ahead (`undertow marts`); where nothing was, it has no row
# and maps are made from positions. Both say the same.

# %%
con.sql("from levels_at($coin, $at, 0.5, null) limit 3", params=wild).pl()

# %% [markdown]
# `segment_map` tells each bucket apart by who is in it.

# %%
con.sql(
    """
    from segment_map($coin, $at, width_pct := 2)
    order by notional desc
    limit 6
    """,
    params=wild,
).pl()

# %% [markdown]
# ## Through time
#
# `liquidation_heatmap` is the map at every interval, with what was liquidated on the same
# axis.

# %%
cells = con.sql(
    """
    from liquidation_heatmap($coin, $since, $until, every := interval 1 hour, width_pct := 1)
    """,
    params=span,
).pl()
marks = con.sql(
    """
    select moments.ts, c.close_px
    from (select unnest(generate_series($since, $until, interval 1 hour)) as ts) as moments,
        lateral (from candle_asof($coin, moments.ts, max_age := interval 3 hours)) as c
    order by moments.ts
    """,
    params=span,
).pl()
middle = marks["close_px"].median() if marks.height else cells["px_low"].median()
shown = cells.filter(pl.col("px_low").is_between(middle * 0.75, middle * 1.25)).with_columns(
    at=pl.col("ts").dt.strftime("%Y-%m-%d %H:%M:%S"),
    mass=(pl.col("long_notional") + pl.col("short_notional")) / 1e6,
)
mass = shown.sort("ts").pivot(on="at", index="px_low", values="mass").sort("px_low")
hit = shown.filter((pl.col("liquidated_long") + pl.col("liquidated_short")).fill_null(0) > 0)
figure = go.Figure()
figure.add_heatmap(
    x=mass.columns[1:],
    y=mass["px_low"],
    z=mass.drop("px_low").to_numpy(),
    colorscale="Teal",
    colorbar_title="million USD",
)
figure.add_scatter(
    x=marks["ts"].dt.strftime("%Y-%m-%d %H:%M:%S"),
    y=marks["close_px"],
    mode="lines",
    line={"color": "#22313f", "width": 2},
    name="price",
)
figure.add_scatter(
    x=hit["at"],
    y=hit["px_low"],
    mode="markers",
    marker={"color": "#d1495b", "size": 7, "symbol": "x"},
    name="liquidated in the hour after",
)
figure.update_layout(
    title=f"{COIN}: where leverage lay, and what was liquidated ({SOURCES})",
    yaxis_title="USD",
    legend={"orientation": "h"},
    template="plotly_white",
    height=480,
)
figure

# %%
longs, shorts = cells.select("liquidated_long", "liquidated_short").sum().row(0)
print(
    f"What it says: in {len(mass.columns) - 1} hours {longs or 0:,.0f} USD of longs and "
    f"{shorts or 0:,.0f} USD of shorts were liquidated, in the buckets marked."
)

# %% [markdown]
# ## What a move would do
#
# Static sums at the venue's own prices: what the triggered orders do to the price is not
# added. The regime compares both sides. Both come as a series too.

# %%
con.sql("from cascade_scenarios($coin, $at, pcts := [5, 10, 20])", params=wild).pl()

# %%
con.sql("from leverage_regime($coin, $at)", params=wild).pl()

# %%
con.sql(
    """
    select s.ts, s.direction, s.notional, r.regime, r.ratio
    from cascade_scenarios_between($coin, $since, $until, interval 3 hours, pcts := [10]) as s
    inner join leverage_regime_between($coin, $since, $until, interval 3 hours) as r using (ts)
    order by s.ts, s.direction
    limit 6
    """,
    params=span,
).pl()

# %% [markdown]
# ## What a map has seen, and what it rests on
#
# Coverage holds what is mapped against the venue's open interest; dependence says how much of
# the mass comes from accounts whose price depends on other coins too.

# %%
con.sql(
    """
    select side, band, mapped_notional, positions, coverage
    from map_coverage($coin, $at)
    order by side, low_pct
    """,
    params=wild,
).pl()

# %%
con.sql("from map_dependence($coin, $at)", params=wild).pl()

# %%
con.sql("select * from margin_error order by day desc, venue_prices desc limit 3").pl()

# %% [markdown]
# ## Where mass comes from, and how long it stays
#
# `map_moves` follows each position from one map to another; `map_changes` sums it by bucket,
# with the reasons adding up; `mass_decay` says what is left after each age.

# %%
con.sql(
    """
    select
        side,
        count(*) filter (where from_size = 0) as new,
        count(*) filter (where to_size = 0) as gone,
        count(*) filter (where from_size > 0 and to_size > 0) as held
    from map_moves($coin, $since, $until)
    group by side
    """,
    params=span,
).pl()

# %%
con.sql(
    """
    select
        side,
        sum(from_notional) as before,
        sum(held) as held,
        sum(moved_in) as moved_in,
        sum(moved_out) as moved_out,
        sum(opened) as opened,
        sum(closed) as closed,
        sum(liquidated) as liquidated,
        sum(to_notional) as after
    from map_changes($coin, $since, $until)
    group by side
    """,
    params=span,
).pl()

# %%
decay = con.sql(
    "from mass_decay($coin, $since, $at, hours := [1, 2, 4, 8, 16, 32, 48])",
    params={"coin": COIN, "since": SINCE, "at": AT},
).pl()
figure = go.Figure()
for side, dash in (("long", "solid"), ("short", "dash")):
    rows = decay.filter(side=side)
    for share, colour in (
        ("held", "#22313f"),
        ("same_bucket", "#2fb98f"),
        ("unchanged", "#d8c032"),
    ):
        figure.add_scatter(
            x=rows["hours"],
            y=rows[share],
            name=f"{side}s, {share.replace('_', ' ')}",
            line={"dash": dash, "color": colour},
        )
figure.update_layout(
    title=f"{COIN}: what is left of the map of {SINCE:%Y-%m-%d %H:%M} ({SOURCES})",
    xaxis_title="hours",
    yaxis={"title": "share of its notional", "tickformat": ".0%", "rangemode": "tozero"},
    template="plotly_white",
    height=420,
)
figure

# %%
for row in decay.drop_nulls("held").sort("hours", "side").tail(1).iter_rows(named=True):
    print(
        f"What it says: after {row['hours']:g} hours {row['held']:.0%} of the mass of "
        f"{row['side']}s is still held, and {row['same_bucket']:.0%} in its bucket."
    )

# %% [markdown]
# ## Liquidations
#
# `fill_hours` says for which hours fills are held: what makes "nothing was liquidated" differ
# from "not known". On it stand single liquidations, rates against the week before, the flow
# with the market around it, and cascades.
#
# A score needs all of its parts: the speed against the week before, how one-sided it was, the
# fall of open interest, and a book. Where one of them is not known, neither is the score, and
# `score_at_least` takes 0 for it. The small market may leave its fastest interval so.

# %%
con.sql(
    "select count(*) as hours, count(held_to) as held from fill_hours($coin, $since, $until)",
    params=span,
).pl()

# %%
con.sql(
    """
    select time_ts, account, side, px, notional, method
    from liquidations_between($coin, $since, $until)
    order by notional desc
    limit 5
    """,
    params=span,
).pl()

# %%
con.sql(
    """
    select ts, liquidations, velocity, norm, velocity_ratio, held_share, norm_share
    from liquidation_rates($coin, $since, $until, min_held := 0.05)
    order by velocity desc nulls last
    limit 5
    """,
    params=span,
).pl()

# %%
flow = con.sql(
    """
    from liquidation_flow(
        $coin, $since, $until, every := interval 30 minutes, min_held := 0.05
    )
    """,
    params=span,
).pl()
figure = go.Figure()
figure.add_bar(x=flow["ts"], y=flow["long_notional"], name="longs", marker_color="#2fb98f")
figure.add_bar(x=flow["ts"], y=flow["short_notional"], name="shorts", marker_color="#e5645f")
figure.update_layout(
    title=f"{COIN}: liquidated each half hour ({SOURCES})",
    yaxis_title="USD",
    barmode="stack",
    template="plotly_white",
    height=420,
)
figure

# %%
for fastest in flow.drop_nulls("velocity").sort("velocity").tail(1).iter_rows(named=True):
    score = fastest["cascade_score"]
    print(
        f"What it says: the fastest half hour begins at {fastest['ts']:%Y-%m-%d %H:%M}, with "
        f"{fastest['velocity']:,.0f} USD a minute; its score is "
        f"{'not known' if score is None else f'{score:.1f} of 10'}."
    )

# %%
con.sql(
    """
    select start_ts, end_ts, side, notional, liquidations, peak_velocity, move_pct, recovery_pct
    from cascades($coin, $since, $until, min_held := 0.05, min_velocity := 1000)
    """,
    params=span,
).pl()

# %% [markdown]
# ## Overlays
#
# What else was known at a moment, with its age: bars that had closed, what the venue said of
# the coin, funding, the book, and what a check found wrong with the rows. They can be called
# for each row of any answer.

# %%
con.sql(
    """
    select
        f.ts,
        f.liquidations,
        c.close_px,
        x.mark_px,
        x.open_interest,
        p.hourly_rate,
        b.mid_px,
        b.depth,
        b.age_seconds
    from liquidation_flow(
        $coin, $since, $until, every := interval 3 hours, min_held := 0.05
    ) as f
    left join lateral (from candle_asof($coin, f.ts, max_age := interval 3 hours)) as c on true
    left join lateral (from context_asof($coin, f.ts)) as x on true
    left join lateral (from funding_asof($coin, f.ts)) as p on true
    left join lateral (from book_asof($coin, f.ts)) as b on true
    order by f.ts
    """,
    params=span,
).pl()

# %%
con.sql("from incidents_at('fills', $coin, $since, $until)", params=span).pl()

# %% [markdown]
# ## Who
#
# Sixteen segments, by account size and by profit; whose leverage is near liquidation, and
# what an account is known to have realised.

# %%
con.sql("from segments").pl()

# %%
con.sql(
    """
    select size_segment, count(*) as accounts, sum(notional) as notional, sum(profit) as profit
    from account_segments($at)
    group by size_segment
    order by notional desc
    """,
    params={"at": PEAK},
).pl()

# %%
con.sql("from account_profits($at) order by profit limit 3", params={"at": PEAK}).pl()

# %%
con.sql(
    """
    select size_segment, side, sum(mark_notional) as notional
    from segmented_positions($at)
    where coin = $coin
    group by size_segment, side
    order by notional desc
    limit 5
    """,
    params=wild,
).pl()

# %%
con.sql(
    """
    select coin, open_interest, at_risk, risk_pct, positions, positions_at_risk
    from liquidation_risk('all', $at)
    order by at_risk desc
    limit 5
    """,
    params={"at": PEAK},
).pl()

# %% [markdown]
# ## How long
#
# `position_spells` follows each position from the first look that shows it to its end. The
# notebook `survival_of_positions` goes on from here.

# %%
con.sql(
    """
    select leverage_band, outcome, count(*) as spells, round(median(hours), 1) as median_hours
    from position_spells($since, $at, coin := $coin)
    where begun = 'opened'
    group by leverage_band, outcome
    order by min(leverage) nulls last, outcome
    """,
    params={"coin": COIN, "since": SINCE, "at": AT},
).pl()
