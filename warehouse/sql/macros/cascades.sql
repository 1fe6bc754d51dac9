-- Historical cascades of one coin that began within [since, until): runs of intervals in which it is
-- liquidated much faster than in its own week before.  The rule is in docs/definitions.md, "Flow and
-- cascades"; nothing from the end of the last whole interval before `until` on is used.
--
-- grain: start_ts
-- reads: liquidation_rates, liquidations_between, fills
-- columns:
--   coin              | none           | the coin asked for | never | argument coin
--   start_ts          | none           | start of its first fast interval
--       | never | liquidation_rates.ts
--   end_ts            | none           | last_ts, once gap has passed without another fast interval
--       | at until it may still go on, or what came next is not held | liquidation_rates.until_ts
--   last_ts           | none           | end of its last fast interval
--       | never | liquidation_rates.until_ts
--   side              | none           | of most of its notional: long or short | never | made here
--   peak_ts           | none           | start of its fastest interval | never | liquidation_rates.ts
--   peak_velocity     | USD per minute | liquidated in its fastest interval
--       | never | liquidation_rates.velocity
--   liquidations      | trades         | forced closings in [start_ts, last_ts) | never | made here
--   notional          | USD            | of both sides, at the prices of their fills
--       | never | fills.px, fills.size
--   long_notional     | USD            | of longs | never | fills.px, fills.size
--   short_notional    | USD            | of shorts | never | fills.px, fills.size
--   accounts          | accounts       | liquidated, of those named
--       | never | fills.liquidated_account, fills.account
--   adl_notional      | USD            | part of notional: closed against the other side
--       | of some of [start_ts, last_ts) no source is held that tells it | fills.px, fills.size
--   backstop_notional | USD            | part of notional: taken over by the liquidator vault
--       | of some of [start_ts, last_ts) no source is held that tells it | fills.px, fills.size
--   px_before         | USD            | last trade in the book in the hour before start_ts
--       | none is held | fills.px
--   px_worst          | USD            | lowest trade in the book in [start_ts, last_ts), highest of
--         shorts
--       | none is held | fills.px
--   worst_ts          | none           | first time of px_worst | none is held | fills.time_ts
--   move_pct          | per cent       | px_worst against px_before; below 0: it fell
--       | one of the two is not known | made here
--   recovery_pct      | per cent       | of the move, what the best trade within recovery of worst_ts
--         took back
--       | that time is not over at until, it holds no trade, or there is no such move | made here
--   held_share        | fraction       | of [start_ts, last_ts), the time whose fills are held
--       | never | liquidation_rates.held_share
-- table macro: cascades(coin, since, until, every := interval 1 minute, seed_ratio := 10.0, keep_ratio := 3.0, min_velocity := 10000.0, gap := interval 10 minutes, recovery := interval 1 hour, knowable := false, min_held := 0.25)
with asked as (
    select
        coin as coin_asked,
        checked_moment(since, 'since') as since_asked,
        on_grid(checked_until(since, until), checked_every(every, since, until)) as until_asked,
        checked_positive(keep_ratio, 'keep_ratio') as keep_asked,
        checked_positive(seed_ratio, 'seed_ratio') as seed_asked,
        checked_positive(min_velocity, 'min_velocity') as velocity_asked,
        checked_age(gap) as gap_asked,
        checked_age(recovery) as recovery_asked,
        knowable as knowable_asked
),

-- Intervals lie on one grid, whatever `since` is; a run that began before `since` is followed back,
-- at most a day.
rates as materialized (
    from liquidation_rates(
        coin,
        on_grid(on_grid(checked_moment(since, 'since'), checked_every(every, since, until)) - interval 24 hours, checked_every(every, since, until)),
        on_grid(checked_moment(until, 'until'), checked_every(every, since, until)),
        every := every,
        knowable := knowable,
        min_held := min_held,
        coin_by := until
    )
),

fast as (
    select
        r.ts,
        r.until_ts,
        r.velocity,
        r.velocity_ratio >= q.seed_asked and r.velocity >= q.velocity_asked as seeds,
        coalesce(r.ts - lag(r.until_ts) over (order by r.ts) > q.gap_asked, true) as begins
    from rates as r
    cross join asked as q
    where r.velocity > 0 and r.velocity_ratio >= least(q.keep_asked, q.seed_asked)
),

numbered as (
    select
        f.*,
        sum(f.begins::integer) over (order by f.ts rows unbounded preceding) as run
    from fast as f
),

runs as (
    select
        n.run,
        min(n.ts) as start_ts,
        max(n.until_ts) as last_ts,
        arg_min(n.ts, (-n.velocity, n.ts)) as peak_ts,
        max(n.velocity) as peak_velocity
    from numbered as n
    group by n.run
    having bool_or(n.seeds)
),

-- A run has ended when `gap` has passed without another fast interval, and that is known.
found as materialized (
    select
        u.run,
        u.start_ts,
        u.last_ts,
        u.peak_ts,
        u.peak_velocity,
        sum(epoch_us(r.until_ts) - epoch_us(r.ts)) filter (
            where r.velocity_ratio is not null and r.ts >= u.last_ts
        ) as quiet_us,
        sum(r.held_share * (epoch_us(r.until_ts) - epoch_us(r.ts))) filter (where r.ts < u.last_ts)
        / (epoch_us(u.last_ts) - epoch_us(u.start_ts)) as held_share,
        bool_and(r.adl_notional is not null) filter (where r.ts < u.last_ts) as told
    from runs as u
    cross join asked as q
    inner join rates as r
        on r.ts >= u.start_ts and r.ts < u.last_ts + q.gap_asked
    where u.start_ts >= q.since_asked and u.start_ts < q.until_asked
    group by u.run, u.start_ts, u.last_ts, u.peak_ts, u.peak_velocity
),

-- From a moment before the first interval on, for a span that ends with the same interval is none.
forced as materialized (
    from liquidations_between(
        coin,
        on_grid(checked_moment(since, 'since'), checked_every(every, since, until)) - interval 1 microsecond,
        on_grid(checked_moment(until, 'until'), checked_every(every, since, until)),
        knowable := knowable,
        coin_by := until
    )
),

summed as (
    select
        w.run,
        count(*) as liquidations,
        sum(f.notional) as notional,
        coalesce(sum(f.notional) filter (where f.side = 'long'), 0) as long_notional,
        coalesce(sum(f.notional) filter (where f.side = 'short'), 0) as short_notional,
        coalesce(sum(f.notional) filter (where f.method = 'adl'), 0) as adl_notional,
        coalesce(sum(f.notional) filter (where f.method = 'backstop'), 0) as backstop_notional,
        count(distinct f.account) as accounts,
        coalesce(sum(f.notional) filter (where f.side = 'long'), 0) >= sum(f.notional) / 2 as falls
    from found as w
    inner join forced as f on f.time_ts >= w.start_ts and f.time_ts < w.last_ts
    group by w.run
),

days as (
    select distinct unnest(generate_series(
        date_trunc('day', (w.start_ts - interval 1 hour) at time zone 'UTC'),
        least(w.last_ts + q.recovery_asked, q.until_asked) at time zone 'UTC',
        interval 1 day
    ))::date as day
    from found as w
    cross join asked as q
),

-- Trades in the book; what the vault takes over, or is closed against the other side, has a price
-- that nobody could trade at.
trades as materialized (
    select
        t.time_ts,
        t.trade_id,
        t.px
    from fills_versions as t
    inner join days as d on t.day = d.day
    cross join asked as q
    where
        t.coin = q.coin_asked
        and t.px > 0
        and coalesce(t.liquidation_method = 'market', true)
        and t.time_ts < q.until_asked
        and stands(t.known_ts, t.since_ts, t.superseded_ts, q.until_asked, q.knowable_asked)
),

starts as (
    select
        w.run,
        arg_max(t.px, (t.time_ts, t.trade_id, t.px)) as px_before
    from found as w
    inner join trades as t
        on t.time_ts >= w.start_ts - interval 1 hour and t.time_ts < w.start_ts
    group by w.run
),

worsts as (
    select
        w.run,
        s.falls,
        if(s.falls, min(t.px), max(t.px)) as px_worst,
        arg_min(t.time_ts, (if(s.falls, t.px, -t.px), t.time_ts)) as worst_ts
    from found as w
    inner join summed as s on w.run = s.run
    inner join trades as t on t.time_ts >= w.start_ts and t.time_ts < w.last_ts
    group by w.run, s.falls
),

bests as (
    select
        w.run,
        if(w.falls, max(t.px), min(t.px)) as px_best
    from worsts as w
    cross join asked as q
    inner join trades as t
        on t.time_ts > w.worst_ts and t.time_ts < w.worst_ts + q.recovery_asked
    where w.worst_ts + q.recovery_asked <= q.until_asked
    group by w.run, w.falls
)

select
    q.coin_asked as coin,
    w.start_ts,
    if(w.quiet_us >= epoch_us(q.gap_asked), w.last_ts, null) as end_ts,
    w.last_ts,
    if(s.falls, 'long', 'short') as side,
    w.peak_ts,
    w.peak_velocity,
    s.liquidations,
    s.notional,
    s.long_notional,
    s.short_notional,
    s.accounts,
    if(w.told, s.adl_notional, null) as adl_notional,
    if(w.told, s.backstop_notional, null) as backstop_notional,
    a.px_before,
    o.px_worst,
    o.worst_ts,
    (o.px_worst / a.px_before - 1) * 100 as move_pct,
    if(
        if(o.falls, o.px_worst < a.px_before, o.px_worst > a.px_before),
        (b.px_best - o.px_worst) / (a.px_before - o.px_worst) * 100,
        null
    ) as recovery_pct,
    w.held_share
from found as w
cross join asked as q
inner join summed as s on w.run = s.run
left join starts as a on w.run = a.run
left join worsts as o on w.run = o.run
left join bests as b on w.run = b.run
order by w.start_ts
