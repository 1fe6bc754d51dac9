-- Maps through time: for since and every so long after it, before until, the coin's liquidation map
-- as it stood then, and what was liquidated in each bucket from then to the next, on the same axis.
--
-- A bucket has a row where positions would close there, or where some did.  Moments that no snapshot
-- answers have no map: snapshot_ts is null, and notional, for it is not known.  Liquidated notional
-- is null where the fills of that time are not held, and 0 where they are and none fell there.  Read
-- from liquidation_levels where those are of the lake as it is now.
--
-- grain: ts, px_low
-- reads: levels_at, snapshot_at, positions_at_each, liquidations_between, fill_hours, segment_map,
--        segments
-- columns:
--   coin             | none      | the coin asked for | never | argument coin
--   ts               | none      | moment asked for | never | made here
--   px_low           | USD       | lower edge of the bucket, part of it | never | made here
--   px_high          | USD       | upper edge, not part of it | never | made here
--   long_notional    | USD       | of longs, at the prices where they close
--       | no snapshot answers | positions.size, positions.liquidation_px
--   short_notional   | USD       | of shorts, at the prices where they close
--       | no snapshot answers | positions.size, positions.liquidation_px
--   positions        | positions | that close there | no snapshot answers | made here
--   most_hit_segment | none      | size segment with the most notional, both sides
--       | segments is false, no position closes there, or most is of accounts whose size is not known |
--         segment_map.segment
--   liquidated_long  | USD       | longs liquidated in [ts, ts + every), at the prices of their fills;
--         known at until, not at ts
--       | the fills of that time are not all held | fills.px, fills.size
--   liquidated_short | USD       | shorts, likewise
--       | the fills of that time are not all held | fills.px, fills.size
--   snapshot_ts      | none      | of the snapshot or sweep that answers
--       | none does | snapshots.snapshot_ts
-- table macro: liquidation_heatmap(coin, since, until, every := interval 1 hour, width_pct := 0.5, knowable := false, segments := false, max_age := interval 26 hours, untrusted := false)
with heat_asked as materialized (
    select
        coin as coin_asked,
        checked_moment(since, 'since') as since_asked,
        checked_until(since, until) as until_asked,
        checked_every(every, since, until) as every_us,
        checked_width(width_pct) as width_asked,
        knowable as knowable_asked,
        segments as segments_asked
),

heat_moments as materialized (
    select unnest(moments_between(since, until, every)) as ts
),

heat_levels as materialized (
    select
        m.ts,
        l.side,
        l.bucket,
        l.notional,
        l.positions,
        l.current_px,
        l.snapshot_ts
    from heat_moments as m
    cross join lateral (
        from levels_at(
            coin, m.ts, width_pct, null, knowable := knowable, max_age := max_age, untrusted := untrusted
        )
    ) as l
),

heat_held as (
    select
        p.ts,
        p.side,
        bucket_of(p.liquidation_px, q.width_asked) as bucket,
        p.notional,
        1 as positions,
        p.current_px,
        p.snapshot_ts
    from positions_at_each(
        coin,
        coalesce(
            (
                select list(m.ts)
                from heat_moments as m
                where m.ts not in (select l.ts from heat_levels as l)
            ),
            []
        ),
        knowable := knowable,
        max_age := max_age,
        untrusted := untrusted,
        coin_by := checked_until(since, until) - interval 1 microsecond
    ) as p
    cross join heat_asked as q
    where p.liquidation_px is not null
),

heat_map as (
    select
        h.ts,
        h.bucket,
        coalesce(sum(h.notional) filter (where h.side = 'long'), 0) as long_notional,
        coalesce(sum(h.notional) filter (where h.side = 'short'), 0) as short_notional,
        sum(h.positions)::bigint as positions
    from (
        from heat_levels
        union all
        from heat_held
    ) as h
    group by h.ts, h.bucket
),

heat_answering as (
    select
        m.ts,
        a.snapshot_ts
    from heat_moments as m
    left join lateral (
        from snapshot_at(coin, m.ts, knowable := knowable, untrusted := untrusted)
    ) as a on true
),

heat_fills as (
    select
        time_bucket(to_microseconds(q.every_us), f.time_ts, q.since_asked) as ts,
        bucket_of(f.px, q.width_asked) as bucket,
        sum(f.notional) filter (where f.side = 'long') as long_usd,
        sum(f.notional) filter (where f.side = 'short') as short_usd
    from liquidations_between(coin, since, until, knowable := knowable) as f
    cross join heat_asked as q
    group by all
),

-- Of an interval whose fills are not all held, what was liquidated is not known.
heat_told as (
    select
        m.ts,
        bool_and(coalesce(
            h.held_to >= least(h.hour_ts + interval 1 hour, m.ts + to_microseconds(q.every_us), q.until_asked),
            false
        )) as held
    from heat_moments as m
    cross join heat_asked as q
    inner join fill_hours(coin, since, until, knowable := knowable) as h
        on
            h.hour_ts < least(m.ts + to_microseconds(q.every_us), q.until_asked)
            and h.hour_ts + interval 1 hour > m.ts
    group by m.ts
),

heat_hits as (
    select
        m.ts,
        bucket_of(sqrt(g.px_low * g.px_high), q.width_asked) as bucket,
        g.segment,
        sum(g.notional) as notional
    from heat_moments as m
    cross join heat_asked as q
    cross join lateral (
        from segment_map(
            coin,
            if(segments, m.ts, null),
            width_pct := width_pct,
            knowable := knowable,
            max_age := max_age,
            untrusted := untrusted,
            coin_by := checked_until(since, until) - interval 1 microsecond
        )
    ) as g
    group by all
),

heat_segments as (
    select
        h.ts,
        h.bucket,
        nullif(arg_max(h.segment, (h.notional, -s.nth)), 'unknown_size') as most_hit_segment
    from heat_hits as h
    inner join segments as s on h.segment = s.segment
    group by h.ts, h.bucket
),

heat_cells as (
    select
        coalesce(m.ts, f.ts) as ts,
        coalesce(m.bucket, f.bucket) as bucket,
        m.long_notional,
        m.short_notional,
        m.positions,
        f.long_usd,
        f.short_usd
    from heat_map as m
    full join heat_fills as f
        on
            m.ts = f.ts
            and m.bucket = f.bucket
)

select
    q.coin_asked as coin,
    c.ts,
    bucket_low(c.bucket, q.width_asked) as px_low,
    bucket_low(c.bucket + 1, q.width_asked) as px_high,
    if(a.snapshot_ts is null, null, coalesce(c.long_notional, 0)) as long_notional,
    if(a.snapshot_ts is null, null, coalesce(c.short_notional, 0)) as short_notional,
    if(a.snapshot_ts is null, null, coalesce(c.positions, 0)) as positions,
    s.most_hit_segment,
    if(t.held, coalesce(c.long_usd, 0), null) as liquidated_long,
    if(t.held, coalesce(c.short_usd, 0), null) as liquidated_short,
    a.snapshot_ts
from heat_cells as c
cross join heat_asked as q
inner join heat_answering as a on c.ts = a.ts
inner join heat_told as t on c.ts = t.ts
left join heat_segments as s
    on
        c.ts = s.ts
        and c.bucket = s.bucket
order by c.ts, c.bucket
