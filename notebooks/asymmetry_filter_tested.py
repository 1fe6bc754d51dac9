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
# # The asymmetry filter, honestly tested
#
# **Unless your own lake holds real rows, every number below is of a simulated market.**
# `make demo` builds the lake this reads; `UNDERTOW_LAKE` names another, in a folder. Either is
# left as it is: what is tried here lands in a lake of links to it, which goes with the
# notebook.
#
# The claim, as traders tell it: price is drawn to where positions are liquidated, for
# liquidations are forced orders. So a long is worth taking only where the shorts that a rise
# would liquidate are larger than the longs that a fall would, and a short the other way round.
# The filter takes the entries of a plain breakout and drops those that the map does not
# support.
#
# Such a filter is easily made to look good. Here are the ways in which that is done, each
# beside what takes the look away.

# %%
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import polars as pl
from plotly.subplots import make_subplots

from backtest.answer import answer, land_answers
from backtest.findings.reading import read
from backtest.prove import prove
from backtest.question import Question
from backtest.search.asked import Search
from backtest.search.keep import search
from backtest.search.result import result_of
from backtest.search.space import axis_of
from backtest.slippage import SlippageUnknown
from backtest.strategies.catalogue import made
from backtest.strategies.strategy import Wrapper
from backtest.study import play
from backtest.terms import Costs, Terms
from warehouse import open_lake

pl.Config.set_tbl_rows(30).set_tbl_cols(20).set_fmt_str_lengths(60).set_float_precision(3)
folder = tempfile.TemporaryDirectory(prefix="undertow-")
LAKE = str(Path(folder.name, "lake"))
shutil.copytree(
    Path(os.environ.get("UNDERTOW_LAKE", "data/demo/lake")).resolve(),
    LAKE,
    copy_function=os.symlink,
)
con = open_lake(LAKE)
SINCE, UNTIL, SOURCES = con.sql(
    """
    select
        greatest(s.since, c.since + interval 1 day) as since,
        least(s.until, c.until) as until,
        s.sources
    from
        (
            select
                min(day)::timestamptz as since,
                max(day)::timestamptz + interval 1 day as until,
                string_agg(distinct source, ', ') as sources
            from snapshots
        ) as s,
        (
            select
                min(day)::timestamptz as since,
                max(day)::timestamptz + interval 1 day as until
            from candles
        ) as c
    """
).fetchall()[0]
COINS = tuple(
    coin
    for (coin,) in con.sql(
        """
        select coin
        from positions
        where
            coin in (select c.coin from candles as c where c.interval = '1h')
            and coin in (select f.coin from funding as f)
        group by coin
        order by sum(notional) desc
        limit 4
        """
    ).fetchall()
)
made_up = ": a made-up market" if "simulated" in SOURCES else ""
print(
    f"{', '.join(COINS)} from {SINCE:%Y-%m-%d} to {UNTIL:%Y-%m-%d}, "
    f"rows of source {SOURCES}{made_up}"
)

# %% [markdown]
# ## What the rows are, and how much of the market they saw
#
# A filter that looks at a part of the market filters by a part of it. `coverage` is what the
# last map held of the venue's open interest, both sides; of that, `priced` has a liquidation
# price at all, and the rest pulls nowhere. Null: the venue's own figure is not held.

# %%
con.sql(
    """
    with asked as (
        select unnest($coins) as coin
    ),

    barred as (
        select
            coin,
            count(distinct start_ts) as bars,
            string_agg(distinct venue, ', ') as venues
        from candles
        where interval = '1h' and start_ts >= $since and start_ts < $until
        group by coin
    ),

    looked as (
        select coin, count(distinct snapshot_ts) as maps
        from positions
        where snapshot_ts >= $since and snapshot_ts < $until
        group by coin
    )

    select
        a.coin,
        b.bars,
        b.venues,
        l.maps,
        c.positions,
        c.musd,
        c.coverage,
        c.priced
    from asked as a
    inner join barred as b using (coin)
    left join looked as l using (coin),
        lateral (
            select
                sum(m.positions) filter (where m.band = 'all')::integer as positions,
                sum(m.mapped_notional) filter (where m.band = 'all') / 1e6 as musd,
                avg(m.coverage) filter (where m.band = 'all') as coverage,
                1 - sum(m.mapped_notional) filter (where m.band = 'unpriced')
                / sum(m.mapped_notional) filter (where m.band = 'all') as priced
            from map_coverage(a.coin, $until) as m
        ) as c
    """,
    params={"coins": list(COINS), "since": SINCE, "until": UNTIL},
).pl()

# %% [markdown]
# ## The filter beside the same entries without it
#
# One rule, two ways: every breakout of the last 24 hours, and only those that the map supports.
# 1,000 USD a trade, stop at 2 %, target at 3 %, a day at most. An order fills at the open after
# the close that decided it; fees, funding and slippage are charged; the map is used from when
# it was published.

# %%
RULE = made("breakout+asymmetry_filter", {"notional": "1000"})
for terms in (Terms(), Terms(Costs(slippage="none"))):
    asked = Question(
        strategy=RULE, coins=COINS, since=SINCE, until=UNTIL, terms=terms, draws=49
    )
    try:
        study = answer(LAKE, [asked])[0]
        break
    except SlippageUnknown as error:
        print(f"Slippage is left out, for {error}")
land_answers(LAKE, [study])
con = open_lake(LAKE)
con.sql(
    """
    with named as (
        select k.kind, unnest(from_json(s.runs -> k.kind, '["VARCHAR"]')) as run_id
        from backtest_studies as s, (values ('own'), ('base')) as k (kind)
        where s.study_id = $study
    )

    select
        if(n.kind = 'own', 'with the filter', 'without') as entries,
        sum(r.signals)::integer as signals,
        sum(r.refused)::integer as refused,
        sum(r.unmapped)::integer as no_map,
        sum(r.trades)::integer as trades,
        sum(r.mean_trade * r.trades) / sum(r.trades) * 100 as mean_trade_pct,
        avg(r.return_fraction) * 100 as return_pct,
        avg(r.max_drawdown) * 100 as drawdown_pct,
        sum(r.fees + r.funding + r.slippage) as costs_usd
    from backtest_runs as r
    inner join named as n using (run_id)
    where r.bound = 'pessimistic'
    group by n.kind
    order by n.kind
    """,
    params={"study": study.study_id},
).pl()

# %%
equity = con.sql(
    """
    with named as (
        select k.kind, unnest(from_json(s.runs -> k.kind, '["VARCHAR"]')) as run_id
        from backtest_studies as s, (values ('own'), ('base')) as k (kind)
        where s.study_id = $study
    )

    select n.kind, e.time_ts, sum(e.equity - $start) as usd
    from backtest_equity as e
    inner join named as n using (run_id)
    where e.bound = 'pessimistic'
    group by n.kind, e.time_ts
    order by e.time_ts
    """,
    params={"study": study.study_id, "start": terms.start_equity},
).pl()
figure = go.Figure()
for kind, label, colour in (
    ("base", "every breakout", "#8a8f98"),
    ("own", "only those the map supports", "#22313f"),
):
    rows = equity.filter(kind=kind)
    figure.add_scatter(x=rows["time_ts"], y=rows["usd"], name=label, line_color=colour)
figure.add_hline(0, line_width=1, line_color="#c8ccd2")
figure.update_layout(
    title=f"Profit of {len(COINS)} accounts, 1,000 USD a trade, after costs ({SOURCES})",
    yaxis_title="USD",
    legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom"},
    template="plotly_white",
    height=400,
)
figure

# %%
found = study.findings
pl.DataFrame(
    {
        "reading": one.bound,
        "attempts_with": one.attempts.trades_with,
        "attempts_without": one.attempts.trades_without,
        "difference_pct": one.attempts.difference and one.attempts.difference * 100,
        "low_pct": one.attempts.low and one.attempts.low * 100,
        "high_pct": one.attempts.high and one.attempts.high * 100,
        "p": one.attempts.p,
    }
    for one in found.ablations
)

# %%
pair = found.ablations[0].attempts
print(
    "What it says: nothing; a side made no attempt."
    if pair.difference is None
    else f"What it says: {pair.trades_with} attempts in place of {pair.trades_without}; the "
    f"mean one earned {pair.mean_with * 100:+.3f} % with the filter and "
    f"{pair.mean_without * 100:+.3f} % without."
)

# %% [markdown]
# A rule that trades less pays less, so that its line falls more slowly, whatever it knows: with
# a losing entry that alone can look like skill. So the *mean attempt* is compared, not the
# line, day by day; `p` is how often days that speak for either by lot give as much.
#
# ## A threshold that is chosen afterwards
#
# How much larger must the side ahead be, and how far is the map looked at? Nobody knows, so one
# tries. Every setting is a trial, and the lake counts it.

# %%
words = ("min_ratio=0,0.25,0.5,0.75,1,1.25,1.5,2,2.5,3,4,6", "reach_pct=5,15")
wanted = Search(
    question=asked, axes=tuple(axis_of(RULE, f"asymmetry_filter.{word}") for word in words)
)
swept = result_of(LAKE, wanted, search(LAKE, wanted))
table, left = swept.table, swept.survivor
tried = pl.DataFrame(
    {
        "min_ratio": [ratio for ratio, _ in table.settings],
        "reach_pct": [reach for _, reach in table.settings],
        "trades": table.trades,
        "sharpe_year": table.sharpe * np.sqrt(365),
    }
).fill_nan(None)
luck = left.deflated and left.deflated.expected and left.deflated.expected * np.sqrt(365)
figure = make_subplots(rows=2, shared_xaxes=True, vertical_spacing=0.06, row_heights=[0.7, 0.3])
for reach, colour in ((5.0, "#2fb98f"), (15.0, "#22313f")):
    rows = tried.filter(reach_pct=reach)
    ratios = [f"{ratio:g}" for ratio in rows["min_ratio"]]
    figure.add_scatter(
        x=ratios,
        y=rows["sharpe_year"],
        name=f"map within {reach:g} %",
        mode="lines+markers",
        line_color=colour,
        row=1,
        col=1,
    )
    figure.add_bar(
        x=ratios, y=rows["trades"], marker_color=colour, showlegend=False, row=2, col=1
    )
if luck is not None:
    figure.add_hline(
        luck,
        line={"color": "#d1495b", "dash": "dash"},
        annotation_text=f"best of {left.trials} trials, by luck",
        row=1,
        col=1,
    )
figure.update_yaxes(title_text="Sharpe ratio, a year", row=1, col=1)
figure.update_yaxes(title_text="trades", row=2, col=1)
figure.update_xaxes(title_text="least ratio of the side ahead", type="category", row=2, col=1)
figure.update_layout(
    title=f"Every threshold, after costs ({SOURCES})",
    legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom"},
    template="plotly_white",
    height=520,
)
figure

# %% [markdown]
# The dashed line is what the best of so many trials would show if none of them knew anything:
# the more is tried, and the shorter the period, the higher it lies. The deflated Sharpe ratio
# is how sure the best is to lie above *that*. The probability of overfitting (PBO) is how
# often the setting that was best on one half of the days is below the middle on the other;
# of fewer than 40 days it is not told.

# %%
for sentence in swept.sentences:
    print(sentence)
pl.DataFrame(
    {
        "deflated_sharpe": left.deflated and left.deflated.probability,
        "pbo": left.pbo,
        "days": table.daily.shape[0],
        "years_needed": left.years_needed,
    }
)

# %% [markdown]
# ## Placebos
#
# If the map tells something, the same rule must do worse on a map that tells nothing. Each dot
# is the mean attempt of one draw: entries at random times, snapshots shuffled; and, with one
# draw each, the map mirrored, and only the distances of its clusters kept. The red line is the
# filter with the map as it was. Yesterday's map is no placebo, for it tells something: it shows
# whether it matters how new a map is.

# %%
placebos = con.sql(
    """
    select placebo, draw, attempts, mean_attempt * 100 as mean_pct
    from backtest_placebos
    where study_id = $study and mean_attempt is not null
    order by placebo, draw
    """,
    params={"study": study.study_id},
).pl()
own = found.readings[0]
figure = go.Figure()
for name in ("yesterday", "distance only", "mirrored", "shuffled", "random times"):
    rows = placebos.filter(placebo=name)
    figure.add_box(
        x=rows["mean_pct"],
        name=name,
        boxpoints="all",
        pointpos=0,
        jitter=0.7,
        fillcolor="rgba(0,0,0,0)",
        line_color="rgba(0,0,0,0)",
        marker={"color": "#22313f", "size": 6 if rows.height > 1 else 11, "opacity": 0.6},
        showlegend=False,
    )
if own.mean is not None:
    figure.add_vline(own.mean * 100, line={"color": "#d1495b", "width": 2})
figure.add_vline(0, line_width=1, line_color="#c8ccd2")
figure.update_layout(
    title=f"The mean attempt of each placebo, and of the filter in red ({SOURCES})",
    xaxis_title="per cent of notional, after costs",
    template="plotly_white",
    height=400,
)
figure

# %%
pl.DataFrame(
    {
        "placebo": one.name,
        "draws": one.draws,
        "mean_pct": one.mean and one.mean * 100,
        "p": one.p,
    }
    for one in found.placebos
)

# %%
blank = [one for one in found.placebos if one.name != "yesterday"]
beaten = [one.name for one in blank if one.p is not None and one.p <= 0.05]
print(
    f"What it says: the filter is better, at 5 %, than {len(beaten)} of {len(blank)} placebos."
)

# %% [markdown]
# ## What an hour does not say
#
# A bar that spans stop and target leaves open which came first. Read for the worse, for the
# better and, where finer bars are held, by looking into them: an edge must stand in every
# reading.

# %%
pl.DataFrame(
    {
        "reading": one.bound,
        "attempts": one.attempts,
        "days": one.days,
        "ambiguous": one.ambiguous,
        "mean_pct": one.mean and one.mean * 100,
        "low_pct": one.low and one.low * 100,
        "high_pct": one.high and one.high * 100,
    }
    for one in found.readings
)

# %% [markdown]
# ## How an edge is faked
#
# Take the threshold that turned out best. Then leave out of the *same trades* what they cost,
# one after the other; then keep only the coin that turned out best. No step is a lie about any
# trade, and each is seen in public backtests.

# %%
best = answer(
    LAKE,
    [replace(asked, strategy=wanted.strategy(table.settings[table.order[0]]), draws=19)],
)[0]
land_answers(LAKE, [best])
con = open_lake(LAKE)
con.execute(
    """
    create or replace temp table steps as
    with traded as (
        select t.*, s.study_id, t.pnl + t.slippage + t.fees + t.funding as gross
        from backtest_studies as s
        inner join backtest_trades as t
            on list_contains(from_json(s.runs -> 'own', '["VARCHAR"]'), t.run_id)
        where t.bound = 'pessimistic' and list_contains([$asked, $best], s.study_id)
    ),

    kept as (
        select coin
        from traded
        where study_id = $best
        group by coin
        order by avg(gross) desc
        limit 1
    )

    select 1 as step, 'as asked' as taken, exit_ts, pnl as usd
    from traded
    where study_id = $asked
    union all
    select 2, 'best threshold', exit_ts, pnl
    from traded
    where study_id = $best
    union all
    select 3, 'without slippage', exit_ts, pnl + slippage
    from traded
    where study_id = $best
    union all
    select 4, 'nor fees', exit_ts, pnl + slippage + fees
    from traded
    where study_id = $best
    union all
    select 5, 'nor funding', exit_ts, gross
    from traded
    where study_id = $best
    union all
    select 6, 'only ' || coin, exit_ts, gross
    from traded
    where study_id = $best and coin in (from kept)
    """,
    {"asked": study.study_id, "best": best.study_id},
)
faked = con.sql(
    """
    select
        step,
        taken,
        exit_ts,
        sum(usd) over (partition by step order by exit_ts) as usd,
        row_number() over (partition by step order by exit_ts) as trade
    from steps
    order by step, exit_ts
    """
).pl()
shades = ("#8a8f98", "#22313f", "#3b7ea1", "#d8c032", "#2fb98f", "#d1495b")
figure = go.Figure()
for (step, taken), rows in faked.group_by("step", "taken", maintain_order=True):
    figure.add_scatter(
        x=rows["exit_ts"],
        y=rows["usd"],
        name=taken,
        line={
            "color": shades[step - 1],
            "shape": "hv",
        },
    )
figure.add_hline(0, line_width=1, line_color="#c8ccd2")
figure.update_layout(
    title=f"How an edge is faked: profit of trades, 1,000 USD each ({SOURCES})",
    yaxis_title="USD",
    legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom"},
    template="plotly_white",
    height=440,
)
figure

# %% [markdown]
# `sharpe_year` is of the daily sums, days without a trade counting 0; `t` is what a naive test
# says of the mean trade, above 2 being called significant. Neither knows of the choices made.

# %%
con.sql(
    """
    with days as (
        select step, taken, exit_ts::date as day, sum(usd) as usd, count(*) as trades
        from steps
        group by step, taken, exit_ts::date
    ),

    daily as (
        select
            step,
            sum(usd) / date_diff('day', $since, $until) as mean,
            (sum(usd ** 2) - sum(usd) ** 2 / date_diff('day', $since, $until))
            / (date_diff('day', $since, $until) - 1) as variance
        from days
        group by step
    )

    select
        s.step,
        s.taken,
        count(*) as trades,
        avg(s.usd) / 10 as mean_trade_pct,
        sum(s.usd) as usd,
        any_value(d.mean / sqrt(nullif(d.variance, 0))) * sqrt(365) as sharpe_year,
        avg(s.usd) / nullif(stddev(s.usd), 0) * sqrt(count(*)) as t
    from steps as s
    inner join daily as d using (step)
    group by s.step, s.taken
    order by s.step
    """,
    params={"since": SINCE, "until": UNTIL},
).pl()

# %%
split = best.findings.costs
print(
    "What it says: nothing; no trade was made."
    if split is None
    else f"What it says: the same trades earned {split.net / split.notional * 100:+.3f} % as "
    f"they were charged, and {split.gross / split.notional * 100:+.3f} % with nothing charged."
)

# %% [markdown]
# ## Without the best days, and by size
#
# A mean that rests on a few attempts, or on one half of the period, is luck until shown
# otherwise.

# %%
sturdy = found.sturdy
halves = sturdy.halves
kept = {
    "all attempts": own.mean,
    "without the best 1 %": sturdy.without_1_pct.mean,
    "without the best 5 %": sturdy.without_5_pct.mean,
    "without the ten best days": sturdy.without_10_days.mean,
    "first half": halves and halves.first,
    "second half": halves and halves.second,
}
pl.DataFrame({"attempts": name, "mean_pct": mean and mean * 100} for name, mean in kept.items())

# %% [markdown]
# Capacity: the same decisions with more money. Larger orders give up more, and at the market
# they are filled however much that is: one that its own slippage carries past its stop is
# stopped out at once. What the account had no margin left for is in no mean. No row:
# slippage was left out, so size would cost nothing.

# %%
room = found.capacity
pl.DataFrame(
    {
        "notional_usd": room.notional if room else [],
        "mean_attempt_pct": [mean and mean * 100 for mean in room.mean] if room else [],
    }
)

# %% [markdown]
# ## A leak, planted
#
# The surest way to an edge is to look ahead by accident. This filter keeps the entries that the
# price of 12 hours later confirms: one index shifted the wrong way.


# %%
@dataclass(frozen=True, kw_only=True)
class Foreseen(Wrapper):
    """Keep the entries whose next 12 bars go their way."""

    def decide(self, view):
        decided = self.entry.decide(view)
        later = np.append(view.close_px[12:], np.full(12, np.nan))
        rise = later - view.close_px
        return decided.but(side=np.where(rise * decided.side > 0, decided.side, 0))


leaky = replace(asked, strategy=Foreseen(entry=RULE))
pl.DataFrame(
    {"filter": name} | asdict(one)
    for name, one in (
        ("honest", own),
        ("foreseen", read("pessimistic", play(con, leaky).of("pessimistic"))),
    )
).select("filter", "attempts", "days", pl.col("mean", "low", "high") * 100)

# %% [markdown]
# `prove` plays a study again in lakes that end at some moment, or whose later rows are garbage.
# Whoever knew only the past decides the same in all of them. Two cuts of one coin are enough
# here; `undertow backtest prove` makes eight of each.

# %%
proofs = {
    name: prove(LAKE, replace(question, coins=COINS[:1]), cuts=2)
    for name, question in (("honest", asked), ("foreseen", leaky))
}
for name, proof in proofs.items():
    print(f"{name}: {proof}")

# %% [markdown]
# ## The verdict
#
# Of the filter as it was asked for, and of the threshold that turned out best. An edge is named
# only if it stands every test, and what it did not stand is named with its figure
# (`docs/statistics.md`).

# %%
for name, one in (("As asked", study), ("The best threshold", best)):
    print(f"{name}.")
    for sentence in one.verdict:
        print(f"  {sentence}")
