-- How long positions lasted, and how they ended: one row for each time that an account was seen to hold
-- one side of a coin, from the first look that shows it to its end.  Exactly, with the reasons and a
-- worked example: docs/definitions.md, Survival.
--
-- A look is a complete snapshot, or an account's own answer to a sweep.  Ends are read from fills, to
-- the moment; where nobody looked for longer than max_gap, or fills are not held, a spell is cut
-- off at the look before, and what is found later is another one.
--
-- grain: coin, account, side, seen_ts
-- reads: positions, snapshots, accounts, fills, liquidations_between, fill_hours
-- columns:
--   from positions: coin, account
--   side          | none     | of the position: long or short | never | positions.size
--   begun         | none     | opened: not held at a look at most max_gap before; left: by a
--         liquidation; unknown: nobody looked
--       | never | made here
--   seen_ts       | none     | first look that shows it | never | positions.snapshot_ts
--   last_seen_ts  | none     | last look that shows it | never | positions.snapshot_ts
--   end_ts        | none     | first fill of the liquidation, the fill that closed it, or else
--         last_seen_ts
--       | never | fills.time_ts, positions.snapshot_ts
--   outcome       | none     | liquidated, closed, or why no more is known: open (no later look), gap
--         (longer than max_gap), no_fills (not held), vanished (gone without a fill)
--       | never | made here
--   hours         | hours    | from seen_ts to end_ts | never | made here
--   looks         | looks    | that show it | never | made here
--   leverage      | x        | chosen leverage at seen_ts | not given | positions.leverage
--   leverage_band | none     | band of leverage | leverage is not given | made here
--   leverage_type | none     | margin mode at seen_ts
--       | not recorded by the source | positions.leverage_type
--   distance_pct  | per cent | from the mark to the liquidation price at seen_ts, of the mark; below 0:
--         past it
--       | it has no liquidation price | positions.mark_px, positions.liquidation_px
--   distance_band | none     | band of distance_pct | it has no liquidation price | made here
--   notional      | USD      | at the mark, at seen_ts | never | positions.notional
--   account_value | USD      | of the account at seen_ts, as reported
--       | not given | positions.account_value
--   size_segment  | none     | segment by account_value; unknown_size: that is not known
--       | never | made here
--   source        | none     | of the look at seen_ts | never | positions.source
-- table macro: position_spells(since, until, coin := 'all', knowable := false, max_gap := interval 26 hours, untrusted := false)
with asked as (
    select
        coin as coin_asked,
        checked_moment(since, 'since') as since_asked,
        checked_until(since, until) as until_asked,
        knowable as knowable_asked,
        checked_age(max_gap) as gap_asked,
        untrusted as untrusted_asked
),

days as (
    select
        q.*,
        unnest(generate_series(
            date_trunc('day', q.since_asked at time zone 'UTC'),
            (q.until_asked - interval 1 microsecond) at time zone 'UTC',
            interval 1 day
        ))::date as day
    from asked as q
),

taken as materialized (
    select distinct
        s.day,
        s.snapshot_ts,
        s.source,
        s.scope,
        s.complete
    from snapshots_versions as s
    inner join days as d on s.day = d.day
    where
        s.snapshot_ts >= d.since_asked
        and s.snapshot_ts < d.until_asked
        and (s.complete or s.accounts_asked > coalesce(s.accounts_failed, 0))
        and (s.trusted or d.untrusted_asked)
        and stands(s.known_ts, s.since_ts, s.superseded_ts, d.until_asked, d.knowable_asked)
),

answers as materialized (
    select distinct
        c.day,
        c.account,
        c.state_ts,
        c.source,
        c.scope
    from accounts_versions as c
    inner join days as d on c.day = d.day
    inner join taken as t
        on
            c.sweep_ts = t.snapshot_ts
            and c.source = t.source
            and c.scope = t.scope
    where
        not t.complete
        and c.positions is not null
        and c.state_ts >= d.since_asked
        and stands(c.known_ts, c.since_ts, c.superseded_ts, d.until_asked, d.knowable_asked)
),

told as (
    select
        p.*,
        if(contains(p.coin, ':'), split_part(p.coin, ':', 1), 'hyperliquid') as dex
    from positions_versions as p
    inner join days as d on p.day = d.day
    where
        (d.coin_asked = 'all' or p.coin = d.coin_asked)
        and stands(p.known_ts, p.since_ts, p.superseded_ts, d.until_asked, d.knowable_asked)
),

shown as (
    select
        o.*,
        true as complete
    from told as o
    inner join taken as t
        on
            o.day = t.day
            and o.snapshot_ts = t.snapshot_ts
            and o.source = t.source
            and o.scope = t.scope
    where t.complete and o.scope in ('all', o.dex)
    union all
    select
        o.*,
        false as complete
    from told as o
    inner join answers as a
        on
            o.day = a.day
            and o.account = a.account
            and o.snapshot_ts = a.state_ts
            and o.source = a.source
            and o.scope = a.scope
    where o.scope in ('all', o.dex)
),

-- One account is one row a look, whichever sources tell of it.
seen as materialized (
    select
        w.coin,
        w.dex,
        w.account,
        if(w.size > 0, 'long', 'short') as side,
        w.snapshot_ts as ts,
        w.leverage,
        w.leverage_type,
        100 * sign(w.size) * (w.mark_px - w.liquidation_px) / w.mark_px as distance_pct,
        w.notional,
        w.account_value,
        w.source
    from shown as w
    qualify row_number() over (
        partition by w.coin, w.account, w.snapshot_ts
        order by w.complete desc, w.scope, w.source
    ) = 1
),

dexes as (
    select distinct s.dex
    from seen as s
),

everyones as (
    select distinct
        d.dex,
        t.snapshot_ts as ts
    from taken as t
    inner join dexes as d on t.scope in ('all', d.dex)
    where t.complete
),

ones_own as (
    select distinct
        d.dex,
        a.account,
        a.state_ts as ts
    from answers as a
    inner join dexes as d on a.scope in ('all', d.dex)
),

-- DuckDB's least and greatest leave out nulls.
steps as (
    select
        s.*,
        least(n.ts, o.ts) as next_ts,
        greatest(b.ts, w.ts) as before_ts
    from seen as s
    asof left join everyones as n on s.dex = n.dex and s.ts < n.ts
    asof left join ones_own as o on s.dex = o.dex and s.account = o.account and s.ts < o.ts
    asof left join everyones as b on s.dex = b.dex and s.ts > b.ts
    asof left join ones_own as w on s.dex = w.dex and s.account = w.account and s.ts > w.ts
),

-- Of each hour, until when fills are held without a hole from its beginning.
hours as (
    select
        d.dex,
        h.hour_ts,
        min(
            if(
                h.told_to >= h.hour_ts + interval 1 hour,
                'infinity'::timestamptz,
                coalesce(h.told_to, h.hour_ts)
            )
        ) over (
            partition by d.dex
            order by h.hour_ts
            rows between current row and unbounded following
        ) as held_to
    from dexes as d
    cross join lateral (
        from fill_hours(
            if(d.dex = 'hyperliquid', 'any', d.dex || ':any'), since, until, knowable := knowable
        )
    ) as h
),

coins as (
    select distinct s.coin
    from seen as s
),

forced as (
    select
        l.coin,
        l.account,
        l.side,
        l.time_ts,
        true as is_forced
    from coins as c
    cross join lateral (
        from liquidations_between(c.coin, since, until, knowable := knowable)
    ) as l
),

closing as (
    select
        f.coin,
        f.account,
        if(f.is_buy, 'short', 'long') as side,
        f.time_ts,
        false as is_forced
    from fills_versions as f
    inner join days as d on f.day = d.day
    inner join coins as c on f.coin = c.coin
    where
        f.time_ts >= d.since_asked
        and f.time_ts < d.until_asked
        and f.start_position <> 0
        and f.is_buy = (f.start_position < 0)
        and f.size >= abs(f.start_position) * (1 - 1e-9)
        and stands(f.known_ts, f.since_ts, f.superseded_ts, d.until_asked, d.knowable_asked)
),

ends as (
    select
        e.coin,
        e.account,
        e.side,
        e.time_ts,
        bool_or(e.is_forced) as is_forced
    from (from forced union all by name from closing) as e
    group by e.coin, e.account, e.side, e.time_ts
),

-- A snapshot is of the end of its block: what happened at its moment happened before it.
judged as (
    select
        s.*,
        e.time_ts as stop_ts,
        case
            when s.next_ts is null then 'open'
            when s.next_ts - s.ts > q.gap_asked then 'gap'
            when coalesce(h.held_to <= s.next_ts, true) then 'no_fills'
            when e.time_ts <= s.next_ts then if(e.is_forced, 'liquidated', 'closed')
            when lead(s.ts) over position is distinct from s.next_ts then 'vanished'
        end as stop,
        q.gap_asked
    from steps as s
    cross join asked as q
    left join hours as h
        on
            s.dex = h.dex
            and on_grid(s.ts, 3600000000) = h.hour_ts
    asof left join ends as e
        on
            s.coin = e.coin
            and s.account = e.account
            and s.side = e.side
            and s.ts < e.time_ts
    window position as (partition by s.coin, s.account, s.side order by s.ts)
),

-- What went before: null where the row before belongs to the same spell.
begun as (
    select
        j.*,
        case
            when lag(j.ts) over position = j.before_ts and lag(j.stop) over position is null then null
            when lag(j.ts) over position = j.before_ts and lag(j.stop) over position in ('gap', 'no_fills')
                then 'unknown'
            when lag(j.ts) over position = j.before_ts and lag(j.stop) over position = 'liquidated' then 'left'
            when j.ts - j.before_ts <= j.gap_asked then 'opened'
            else 'unknown'
        end as begun
    from judged as j
    window position as (partition by j.coin, j.account, j.side order by j.ts)
),

numbered as (
    select
        b.*,
        count(b.begun) over (
            partition by b.coin, b.account, b.side
            order by b.ts
        ) as nth
    from begun as b
),

spells as (
    select
        n.coin,
        n.account,
        n.side,
        min(n.ts) as seen_ts,
        max(n.ts) as last_seen_ts,
        arg_max_null(n.stop, n.ts) as outcome,
        arg_max_null(n.stop_ts, n.ts) as stop_ts,
        arg_min_null(n.begun, n.ts) as begun,
        count(*) as looks,
        arg_min_null(n.leverage, n.ts) as leverage,
        arg_min_null(n.leverage_type, n.ts) as leverage_type,
        arg_min_null(n.distance_pct, n.ts) as distance_pct,
        arg_min_null(n.notional, n.ts) as notional,
        arg_min_null(n.account_value, n.ts) as account_value,
        arg_min_null(n.source, n.ts) as source
    from numbered as n
    group by n.coin, n.account, n.side, n.nth
),

ended as (
    select
        s.*,
        if(s.outcome in ('liquidated', 'closed'), s.stop_ts, s.last_seen_ts) as end_ts
    from spells as s
)

select
    e.coin,
    e.account,
    e.side,
    e.begun,
    e.seen_ts,
    e.last_seen_ts,
    e.end_ts,
    e.outcome,
    (epoch_us(e.end_ts) - epoch_us(e.seen_ts)) / 3.6e9 as hours,
    e.looks,
    e.leverage,
    leverage_band(e.leverage) as leverage_band,
    e.leverage_type,
    e.distance_pct,
    distance_band(e.distance_pct) as distance_band,
    e.notional,
    e.account_value,
    segment_of('size', e.account_value) as size_segment,
    e.source
from ended as e
order by e.coin, e.account, e.side, e.seen_ts
