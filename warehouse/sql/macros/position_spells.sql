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
with coin_known as materialized (
    select coalesce(
        checked_coin(nullif(coin, 'all'), checked_until(since, until), knowable, with_end := false), coin
    ) as coin_asked
),

asked as (
    select
        k.coin_asked,
        checked_moment(since, 'since') as since_asked,
        checked_until(since, until) as until_asked,
        knowable as knowable_asked,
        checked_age(max_gap) as gap_asked,
        untrusted as untrusted_asked
    from coin_known as k
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

-- Accounts by number, in the order of the answer: windows and joins of numbers are quicker by half.
holders as materialized (
    select
        h.coin,
        h.dex,
        h.account,
        row_number() over (order by h.coin, h.account) as holder
    from (
        select distinct
            w.coin,
            w.dex,
            w.account
        from shown as w
    ) as h
),

dexes as (
    select distinct h.dex
    from holders as h
),

counted as materialized (
    select
        h.holder,
        h.dex,
        h.account,
        w.size > 0 as is_long,
        w.snapshot_ts as ts,
        w.leverage,
        w.leverage_type,
        100 * sign(w.size) * (w.mark_px - w.liquidation_px) / w.mark_px as distance_pct,
        w.notional,
        w.account_value,
        w.complete,
        w.scope,
        w.source
    from shown as w
    inner join holders as h on w.coin = h.coin and w.account = h.account
),

-- One account is one row a look, whichever sources tell of it.
doubles as materialized (
    select
        c.holder,
        c.ts
    from counted as c
    group by c.holder, c.ts
    having count(*) > 1
),

seen as materialized (
    select c.* exclude (complete, scope)
    from counted as c
    anti join doubles as d on c.holder = d.holder and c.ts = d.ts
    union all
    select c.* exclude (complete, scope)
    from counted as c
    semi join doubles as d on c.holder = d.holder and c.ts = d.ts
    qualify row_number() over (
        partition by c.holder, c.ts
        order by c.complete desc, c.scope, c.source
    ) = 1
),

everyones as materialized (
    select
        e.dex,
        e.ts,
        lead(e.ts) over (partition by e.dex order by e.ts) as next_ts,
        lag(e.ts) over (partition by e.dex order by e.ts) as before_ts
    from (
        select distinct
            d.dex,
            t.snapshot_ts as ts
        from taken as t
        inner join dexes as d on t.scope in ('all', d.dex)
        where t.complete
    ) as e
),

ones_own as materialized (
    select distinct
        h.holder,
        a.state_ts as ts
    from answers as a
    inner join holders as h on a.account = h.account and a.scope in ('all', h.dex)
),

-- Whom only complete snapshots look at is looked at when everyone is.  DuckDB's least and greatest
-- leave out nulls.
steps as (
    select
        s.holder,
        s.dex,
        s.is_long,
        s.ts,
        e.next_ts,
        e.before_ts
    from seen as s
    inner join everyones as e on s.dex = e.dex and s.ts = e.ts
    where s.holder not in (select o.holder from ones_own as o)
    union all
    select
        s.holder,
        s.dex,
        s.is_long,
        s.ts,
        least(n.ts, o.ts) as next_ts,
        greatest(b.ts, w.ts) as before_ts
    from (
        from seen as s
        where s.holder in (select o.holder from ones_own as o)
    ) as s
    asof left join everyones as n on s.dex = n.dex and s.ts < n.ts
    asof left join ones_own as o on s.holder = o.holder and s.ts < o.ts
    asof left join everyones as b on s.dex = b.dex and s.ts > b.ts
    asof left join ones_own as w on s.holder = w.holder and s.ts > w.ts
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
    select distinct h.coin
    from holders as h
),

forced as (
    select
        l.coin,
        l.account,
        l.side = 'long' as is_long,
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
        not f.is_buy as is_long,
        f.time_ts,
        false as is_forced
    from fills_versions as f
    inner join days as d on f.day = d.day
    where
        f.time_ts >= d.since_asked
        and f.time_ts < d.until_asked
        and f.start_position <> 0
        and f.is_buy = (f.start_position < 0)
        and f.size >= abs(f.start_position) * (1 - 1e-9)
        and stands(f.known_ts, f.since_ts, f.superseded_ts, d.until_asked, d.knowable_asked)
),

ends as materialized (
    select
        h.holder,
        e.is_long,
        e.time_ts,
        bool_or(e.is_forced) as is_forced
    from (from forced union all by name from closing) as e
    inner join holders as h on e.coin = h.coin and e.account = h.account
    group by h.holder, e.is_long, e.time_ts
),

-- Why no more is known of what comes after a look, if no more is.
cut as materialized (
    select
        s.*,
        case
            when s.next_ts is null then 'open'
            when s.next_ts - s.ts > q.gap_asked then 'gap'
            when coalesce(h.held_to <= s.next_ts, true) then 'no_fills'
        end as stop,
        s.holder in (select e.holder from ends as e) as may_end
    from steps as s
    cross join asked as q
    left join hours as h
        on
            s.dex = h.dex
            and on_grid(s.ts, 3600000000) = h.hour_ts
),

-- A snapshot is of the end of its block: what happened at its moment happened before it.
judged as (
    select
        c.* exclude (stop),
        c.stop,
        null::timestamptz as stop_ts
    from cut as c
    where c.stop is not null or not c.may_end
    union all
    select
        c.* exclude (stop),
        if(e.time_ts <= c.next_ts, if(e.is_forced, 'liquidated', 'closed'), null) as stop,
        e.time_ts as stop_ts
    from (
        from cut as c
        where c.stop is null and c.may_end
    ) as c
    asof left join ends as e
        on
            c.holder = e.holder
            and c.is_long = e.is_long
            and c.ts < e.time_ts
),

-- Beside what went before, which is of the same spell where it has no stop and was seen at the look
-- before.
beside as (
    select
        j.* exclude (stop, dex, next_ts, before_ts, may_end),
        if(j.stop is null and lead(j.ts) over position is distinct from j.next_ts, 'vanished', j.stop) as stop,
        case
            when lag(j.ts) over position = j.before_ts and lag(j.stop) over position is null then null
            when lag(j.ts) over position = j.before_ts and lag(j.stop) over position in ('gap', 'no_fills')
                then 'unknown'
            when lag(j.ts) over position = j.before_ts and lag(j.stop) over position = 'liquidated' then 'left'
            when j.ts - j.before_ts <= q.gap_asked then 'opened'
            else 'unknown'
        end as begun,
        row_number() over position as nth
    from judged as j
    cross join asked as q
    window position as (partition by j.holder, j.is_long order by j.ts)
),

-- A spell is of one look, or the next that stops is its last.
spells as (
    select
        b.*,
        b.ts as last_ts,
        b.nth as last_nth
    from beside as b
    where b.begun is not null and b.stop is not null
    union all by name
    select
        b.* exclude (stop, stop_ts),
        lead(b.stop) over position as stop,
        lead(b.stop_ts) over position as stop_ts,
        lead(b.ts) over position as last_ts,
        lead(b.nth) over position as last_nth
    from beside as b
    where (b.begun is null) <> (b.stop is null)
    window position as (partition by b.holder, b.is_long order by b.ts)
    qualify b.begun is not null
),

ended as (
    select
        h.coin,
        h.account,
        if(s.is_long, 'long', 'short') as side,
        s.*,
        b.* exclude (holder, ts, dex, account, is_long),
        if(s.stop in ('liquidated', 'closed'), s.stop_ts, s.last_ts) as end_ts
    from spells as s
    inner join seen as b on s.holder = b.holder and s.ts = b.ts
    inner join holders as h on s.holder = h.holder
)

select
    e.coin,
    e.account,
    e.side,
    e.begun,
    e.ts as seen_ts,
    e.last_ts as last_seen_ts,
    e.end_ts,
    e.stop as outcome,
    (epoch_us(e.end_ts) - epoch_us(e.ts)) / 3.6e9 as hours,
    e.last_nth - e.nth + 1 as looks,
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
order by e.holder, e.side, e.ts
