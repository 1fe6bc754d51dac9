-- Scenarios through time: what cascade_scenarios says at since and every so long after it, before
-- until.  A moment that no snapshot answers has no row.
--
-- grain: ts, direction, pct
-- reads: positions_at_each, current_px
-- columns:
--   ts | none | moment asked for | never | made here
--   as cascade_scenarios: coin, direction, pct, side, current_px, target_px, notional, positions,
--       snapshot_ts
-- table macro: cascade_scenarios_between(coin, since, until, every, pcts := [5, 10, 15], knowable := false, max_age := interval 26 hours, untrusted := false)
with asked as (
    select
        coin as coin_asked,
        unnest(list_distinct(checked_pcts(pcts))) as pct
),

held as materialized (
    from positions_at_each(
        coin,
        moments_between(since, until, every),
        knowable := knowable,
        max_age := max_age,
        untrusted := untrusted,
        coin_by := checked_until(since, until) - interval 1 microsecond
    )
),

marked as materialized (
    select
        h.ts,
        any_value(h.current_px) as px,
        any_value(h.snapshot_ts) as snapshot_ts
    from held as h
    group by h.ts
),

-- Where the snapshot holds nothing of the coin, the newest context says its price.
moments as (
    from marked
    union all
    select
        u.ts,
        c.px,
        c.snapshot_ts
    from (select unnest(moments_between(since, until, every)) as ts) as u
    cross join lateral (
        from current_px(
            coin,
            if(u.ts in (select m.ts from marked as m), null, u.ts),
            knowable := knowable,
            max_age := max_age,
            untrusted := untrusted,
            coin_by := checked_until(since, until) - interval 1 microsecond
        )
    ) as c
),

targets as (
    select
        q.coin_asked,
        m.ts,
        d.direction,
        q.pct,
        d.side,
        m.px as current_px,
        -- In this order a whole percentage of a round price is met exactly: 100 + 15 % is 115.0.
        m.px * (100 + d.sign * q.pct) / 100.0 as target_px,
        d.sign,
        m.snapshot_ts
    from asked as q
    cross join moments as m
    cross join (values ('down', 'long', -1), ('up', 'short', 1)) as d (direction, side, sign)
)

select
    t.coin_asked as coin,
    t.ts,
    t.direction,
    t.pct,
    t.side,
    t.current_px,
    t.target_px,
    coalesce(sum(p.notional), 0) as notional,
    count(p.account) as positions,
    t.snapshot_ts
from targets as t
left join held as p
    on
        p.ts = t.ts
        and p.side = t.side
        and p.liquidation_px * t.sign <= t.target_px * t.sign
group by all
order by t.ts, t.direction, t.pct
