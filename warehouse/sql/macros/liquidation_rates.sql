-- Forced closings of one coin, interval by interval, and how fast they come against the coin's own
-- week before.  Intervals start at `since`; the last ends at `until`.  The rules are in
-- docs/definitions.md, "Flow and cascades"; liquidation_flow adds the market around them.
--
-- An interval whose fills are not all held is null but for ts, until_ts and held_share; one whose
-- fills are held and in which nothing was liquidated is 0.  Null too is one by whose end the lake has
-- not heard of the coin.
--
-- grain: ts
-- reads: liquidations_between, fill_hours, instruments, asset_contexts, fills
-- columns:
--   ts                | none           | start of the interval | never | made here
--   until_ts          | none           | its end, not part of it | never | made here
--   held_share        | fraction       | of the interval's time, that whose fills are held
--       | never | fill_hours.held_to
--   liquidations      | trades         | forced closings
--       | its fills are not all held, or the coin is not heard of | made here
--   long_notional     | USD            | of longs, at the prices of their fills
--       | its fills are not all held, or the coin is not heard of | fills.px, fills.size
--   short_notional    | USD            | of shorts, likewise
--       | its fills are not all held, or the coin is not heard of | fills.px, fills.size
--   notional          | USD            | of both sides
--       | its fills are not all held, or the coin is not heard of | fills.px, fills.size
--   mean_notional     | USD            | of a forced closing
--       | there is none, its fills are not all held, or the coin is not heard of | fills.px, fills.size
--   largest           | USD            | the largest forced closing
--       | there is none, its fills are not all held, or the coin is not heard of | fills.px, fills.size
--   adl_notional      | USD            | part of notional: closed against the other side
--       | as of long_notional, or of some of it only a source is held that does not tell it | fills.px, fills.size
--   backstop_notional | USD            | part of notional: taken over by the liquidator vault
--       | as of long_notional, or of some of it only a source is held that does not tell it | fills.px, fills.size
--   accounts          | accounts       | liquidated, of those named
--       | its fills are not all held, or the coin is not heard of | fills.liquidated_account,
--         fills.account
--   velocity          | USD per minute | notional over the interval's length
--       | its fills are not all held, or the coin is not heard of | made here
--   norm              | USD per minute | velocity of the 7 days before ts, over the time whose fills
--         are held
--       | less than min_held of them is held, or the coin is not heard of | made here
--   norm_share        | fraction       | of the 7 days before ts, the time whose fills are held
--       | never | fill_hours.held_to
--   velocity_ratio    | x              | velocity over norm; a norm below 1 USD per minute counts as 1
--       | velocity or norm is not known | made here
-- table macro: liquidation_rates(coin, since, until, every := interval 1 hour, knowable := false, min_held := 0.25, coin_by := null)
with asked as (
    select
        coin as coin_asked,
        epoch_us(checked_moment(since, 'since')) as since_us,
        epoch_us(checked_until(since, until)) as until_us,
        checked_every(every, since, until) as every_us,
        checked_share(min_held) as share_asked,
        checked_until(since, until) as until_asked,
        knowable as knowable_asked
),

grid as materialized (
    select
        g.k,
        q.since_us + g.k * q.every_us as start_us,
        least(q.since_us + (g.k + 1) * q.every_us, q.until_us) as end_us,
        q.share_asked
    from asked as q
    cross join unnest(generate_series(0, (q.until_us - q.since_us - 1) // q.every_us)) as g (k)
    where q.coin_asked <> ''
),

-- Held time before each hour, so that what is held of a span is one subtraction.
hours as materialized (
    select
        epoch_us(h.hour_ts) // 3600000000 as hour,
        coalesce(epoch_us(h.held_to) - epoch_us(h.hour_ts), 0) as held_us,
        coalesce(epoch_us(h.told_to) - epoch_us(h.hour_ts), 0) as told_us,
        coalesce(sum(held_us) over earlier, 0)::bigint as held_before,
        coalesce(sum(told_us) over earlier, 0)::bigint as told_before,
        h.held_to
    from fill_hours(coin, checked_moment(since, 'since') - interval 168 hours, until, knowable := knowable) as h
    window earlier as (order by h.hour_ts rows between unbounded preceding and 1 preceding)
),

forced as materialized (
    select
        epoch_us(f.time_ts) as time_us,
        f.side,
        f.notional,
        f.method,
        f.account
    from liquidations_between(
        coin,
        checked_moment(since, 'since') - interval 168 hours,
        until,
        knowable := knowable,
        coin_by := coin_by
    ) as f
    inner join hours as h
        on
            epoch_us(f.time_ts) // 3600000000 = h.hour
            and f.time_ts < h.held_to
),

days as (
    select
        q.*,
        unnest(generate_series(
            date_trunc('day', make_timestamptz(q.since_us - 604800000000) at time zone 'UTC'),
            q.until_asked at time zone 'UTC',
            interval 1 day
        ))::date as day
    from asked as q
),

-- When the lake first heard of the coin: by its margin rules, or in the week before and since.
heard as materialized (
    select min(s.time_us) as time_us
    from (
        select epoch_us(i.effective_ts) as time_us
        from instruments_versions as i
        cross join asked as q
        where
            i.coin = q.coin_asked
            and i.effective_ts < q.until_asked
            and stands(i.known_ts, i.since_ts, i.superseded_ts, q.until_asked, q.knowable_asked)
        union all
        select epoch_us(c.context_ts) as time_us
        from asset_contexts_versions as c
        inner join days as d on c.day = d.day
        where
            c.coin = d.coin_asked
            and c.venue = 'hyperliquid'
            and epoch_us(c.context_ts) >= d.since_us - 604800000000
            and c.context_ts < d.until_asked
            and stands(c.known_ts, c.since_ts, c.superseded_ts, d.until_asked, d.knowable_asked)
        union all
        select epoch_us(f.time_ts) as time_us
        from fills_versions as f
        inner join days as d on f.day = d.day
        where
            f.coin = d.coin_asked
            and epoch_us(f.time_ts) >= d.since_us - 604800000000
            and f.time_ts < d.until_asked
            and stands(f.known_ts, f.since_ts, f.superseded_ts, d.until_asked, d.knowable_asked)
    ) as s
),

counted as (
    select
        (f.time_us - q.since_us) // q.every_us as k,
        count(*) as liquidations,
        sum(f.notional) filter (where f.side = 'long') as long_notional,
        sum(f.notional) filter (where f.side = 'short') as short_notional,
        sum(f.notional) as notional,
        max(f.notional) as largest,
        sum(f.notional) filter (where f.method = 'adl') as adl_notional,
        sum(f.notional) filter (where f.method = 'backstop') as backstop_notional,
        count(distinct f.account) as accounts
    from forced as f
    cross join asked as q
    where f.time_us >= q.since_us
    group by all
),

-- Summed frame by frame, not as a difference of running sums, in which a quiet week after a
-- cascade would drown.
marked as (
    select
        m.k,
        sum(m.notional) over (
            order by m.time_us range between 604800000000 preceding and 1 preceding
        ) as notional
    from (
        select
            g.k,
            g.start_us as time_us,
            null::double as notional
        from grid as g
        union all
        select
            null as k,
            f.time_us,
            sum(f.notional) as notional
        from forced as f
        group by f.time_us
    ) as m
    qualify m.k is not null
),

spans as (
    select
        g.*,
        coalesce(e.held_before + least(e.held_us, g.end_us - e.hour * 3600000000), 0)
        - coalesce(s.held_before + least(s.held_us, g.start_us - s.hour * 3600000000), 0) as held_us,
        coalesce(e.told_before + least(e.told_us, g.end_us - e.hour * 3600000000), 0)
        - coalesce(s.told_before + least(s.told_us, g.start_us - s.hour * 3600000000), 0) as told_us,
        coalesce(s.held_before + least(s.held_us, g.start_us - s.hour * 3600000000), 0)
        - coalesce(w.held_before + least(w.held_us, g.start_us - 604800000000 - w.hour * 3600000000), 0)
            as week_us
    from grid as g
    left join hours as e on e.hour = (g.end_us - 1) // 3600000000
    left join hours as s on s.hour = (g.start_us - 1) // 3600000000
    left join hours as w on w.hour = (g.start_us - 604800000001) // 3600000000
),

judged as (
    select
        s.*,
        coalesce(e.time_us < s.end_us, false) as exists_then,
        exists_then and s.held_us = s.end_us - s.start_us as held,
        held and s.told_us = s.held_us as told,
        s.week_us / 604800000000 as norm_share,
        if(
            exists_then and s.week_us / 604800000000 >= s.share_asked,
            coalesce(m.notional, 0) / (s.week_us / 60000000),
            null
        ) as norm,
        if(held, coalesce(c.liquidations, 0), null) as liquidations,
        if(held, coalesce(c.long_notional, 0), null) as long_notional,
        if(held, coalesce(c.short_notional, 0), null) as short_notional,
        if(held, coalesce(c.notional, 0), null) as notional,
        if(held, c.largest, null) as largest,
        if(told, coalesce(c.adl_notional, 0), null) as adl_notional,
        if(told, coalesce(c.backstop_notional, 0), null) as backstop_notional,
        if(held, coalesce(c.accounts, 0), null) as accounts
    from spans as s
    cross join heard as e
    left join marked as m on s.k = m.k
    left join counted as c on s.k = c.k
)

select
    make_timestamptz(j.start_us) as ts,
    make_timestamptz(j.end_us) as until_ts,
    j.held_us / (j.end_us - j.start_us) as held_share,
    j.liquidations,
    j.long_notional,
    j.short_notional,
    j.notional,
    j.notional / nullif(j.liquidations, 0) as mean_notional,
    j.largest,
    j.adl_notional,
    j.backstop_notional,
    j.accounts,
    j.notional / ((j.end_us - j.start_us) / 60000000) as velocity,
    j.norm,
    j.norm_share,
    -- A coin in which almost nothing is ever liquidated would make any trade infinitely fast.
    j.notional / ((j.end_us - j.start_us) / 60000000) / if(j.norm < 1, 1, j.norm) as velocity_ratio
from judged as j
order by j.start_us
