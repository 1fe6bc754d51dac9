-- Where the mass of a map comes from: what happened, by side and price bucket, to what lay there on an
-- earlier map, and what came to lie there on a later one.  Exactly, with a worked example:
-- docs/definitions.md, Changes of the map.
--
-- The reasons add up:
--     from_notional = held + moved_out + gone + not_seen
--     to_notional   = held + resized + repriced + moved_in + opened + found
--     gone          = closed + liquidated
--
-- grain: side, px_low
-- reads: map_moves, liquidations_between, fill_hours
-- columns:
--   coin           | none      | the coin asked for | never | argument coin
--   side           | none      | of the positions: long or short | never | positions.size
--   px_low         | USD       | lower edge of the bucket, part of it | never | made here
--   px_high        | USD       | upper edge, not part of it | never | made here
--   from_notional  | USD       | what lay there on the earlier map, at its liquidation prices
--       | never | positions.size, positions.liquidation_px
--   to_notional    | USD       | what lies there on the later map, at its liquidation prices
--       | never | positions.size, positions.liquidation_px
--   held           | USD       | of from_notional, positions that stay in the bucket, without what was
--         liquidated of them
--       | never | made here
--   held_unasked   | USD       | part of held whose account nobody asked again | never | made here
--   resized        | USD       | what these grew by, at the earlier price; below 0: they shrank
--       | never | made here
--   repriced       | USD       | what these are worth more at their later price; below 0: less
--       | never | made here
--   moved_in       | USD       | of to_notional, positions that lay in another bucket, or had no price
--       | never | made here
--   moved_out      | USD       | of from_notional, positions that lie in another bucket, or have no
--         price any more
--       | never | made here
--   opened         | USD       | of to_notional, positions not held on that side before
--       | never | made here
--   found          | USD       | of to_notional, positions of accounts that the earlier map knew
--         nothing of
--       | never | made here
--   gone           | USD       | closed and liquidated | never | made here
--   closed         | USD       | of from_notional, positions no longer held on that side
--       | not all fills of the time between are held | made here
--   liquidated     | USD       | of from_notional, what liquidation fills closed
--       | not all fills of the time between are held | made here
--   not_seen       | USD       | of from_notional, positions of accounts that the later map knows
--         nothing of
--       | never | made here
--   positions_from | positions | of from_notional | never | made here
--   positions_to   | positions | of to_notional | never | made here
--   fills_held     | none      | true: the lake holds every fill of the time between
--       | never | fill_hours.held_to
--   from map_moves: from_snapshot_ts, to_snapshot_ts
-- table macro: map_changes(coin, from_at, to_at, width_pct := 0.5, knowable := false, max_age := interval 26 hours, untrusted := false)
with asked as (
    select
        coin as coin_asked,
        checked_moment(from_at, 'from_at') as from_asked,
        checked_later(from_at, to_at, 'to_at') as at_asked,
        knowable as knowable_asked
    where checked_width(width_pct) > 0
),

moves as materialized (
    select
        m.*,
        bucket_of(m.from_px, width_pct) as from_bucket,
        bucket_of(m.to_px, width_pct) as to_bucket
    from map_moves(
        coin, from_at, to_at, knowable := knowable, max_age := max_age, untrusted := untrusted
    ) as m
),

spans as materialized (
    select
        coalesce(min(m.from_state_ts), any_value(q.from_asked)) as since_ts,
        max(m.to_state_ts) as until_ts
    from asked as q
    left join moves as m on true
),

-- No hour lies between where all that was asked again was asked before the earlier map.
covered as (
    select bool_and(
        s.until_ts is not null
        and (
            h.hour_ts > s.until_ts
            or coalesce(h.told_to >= least(h.hour_ts + interval 1 hour, s.until_ts), false)
        )
    ) as is_held
    from spans as s
    cross join asked as q
    cross join lateral (
        from fill_hours(q.coin_asked, s.since_ts, q.at_asked, knowable := q.knowable_asked)
    ) as h
),

-- A snapshot is of the end of its block: what happened at its moment happened before it.
forced as (
    select
        m.account,
        m.side,
        sum(f.size) as size
    from spans as s
    cross join asked as q
    cross join lateral (
        from liquidations_between(
            q.coin_asked,
            s.since_ts,
            q.at_asked,
            knowable := q.knowable_asked,
            with_end := true
        )
    ) as f
    inner join moves as m
        on
            f.account = m.account
            and f.side = m.side
            and f.time_ts > m.from_state_ts
            and f.time_ts <= m.to_state_ts
    group by m.account, m.side
),

told as (
    select
        m.*,
        if(c.is_held, least(coalesce(z.size, 0), greatest(m.from_size - m.to_size, 0)), 0) as forced_size,
        m.to_state_ts is null as is_lost,
        m.from_state_ts is null as is_found,
        m.to_size > 0 and m.from_size > 0 as is_both,
        m.to_size > 0 and m.from_size > 0 and coalesce(m.from_bucket = m.to_bucket, false) as is_held,
        coalesce(m.from_state_ts = m.to_state_ts, false) as is_unasked
    from moves as m
    cross join covered as c
    left join forced as z
        on
            m.account = z.account
            and m.side = z.side
),

-- Nothing to nothing is null and not 0, so that a bucket without a reason has no row.
parted as (
    select
        t.side,
        t.from_bucket as bucket,
        t.from_size * t.from_px as from_notional,
        0.0::double as to_notional,
        if(t.is_held, (t.from_size - t.forced_size) * t.from_px, 0) as held,
        if(t.is_held and t.is_unasked, (t.from_size - t.forced_size) * t.from_px, 0) as held_unasked,
        if(t.is_held, (t.to_size - (t.from_size - t.forced_size)) * t.from_px, 0) as resized,
        if(t.is_held, t.to_size * (t.to_px - t.from_px), 0) as repriced,
        if(t.is_both and not t.is_held, (t.from_size - t.forced_size) * t.from_px, 0) as moved_out,
        0.0::double as moved_in,
        0.0::double as opened,
        0.0::double as found,
        if(not t.is_lost and not t.is_both, (t.from_size - t.forced_size) * t.from_px, 0) as closed,
        if(not t.is_lost, t.forced_size * t.from_px, 0) as liquidated,
        if(t.is_lost, t.from_size * t.from_px, 0) as not_seen,
        1 as positions_from,
        0 as positions_to,
        t.from_snapshot_ts,
        t.to_snapshot_ts
    from told as t
    where t.from_size > 0 and t.from_bucket is not null
    union all by name
    select
        t.side,
        t.to_bucket as bucket,
        t.to_size * t.to_px as to_notional,
        if(t.is_both and not t.is_held, t.to_size * t.to_px, 0) as moved_in,
        if(not t.is_both and not t.is_found, t.to_size * t.to_px, 0) as opened,
        if(not t.is_both and t.is_found, t.to_size * t.to_px, 0) as found,
        1 as positions_to,
        t.from_snapshot_ts,
        t.to_snapshot_ts
    from told as t
    where t.to_size > 0 and t.to_bucket is not null
),

summed as (
    select
        p.side,
        p.bucket,
        coalesce(sum(p.from_notional), 0) as from_notional,
        coalesce(sum(p.to_notional), 0) as to_notional,
        coalesce(sum(p.held), 0) as held,
        coalesce(sum(p.held_unasked), 0) as held_unasked,
        coalesce(sum(p.resized), 0) as resized,
        coalesce(sum(p.repriced), 0) as repriced,
        coalesce(sum(p.moved_in), 0) as moved_in,
        coalesce(sum(p.moved_out), 0) as moved_out,
        coalesce(sum(p.opened), 0) as opened,
        coalesce(sum(p.found), 0) as found,
        coalesce(sum(p.closed), 0) as closed,
        coalesce(sum(p.liquidated), 0) as liquidated,
        coalesce(sum(p.not_seen), 0) as not_seen,
        coalesce(sum(p.positions_from), 0)::bigint as positions_from,
        coalesce(sum(p.positions_to), 0)::bigint as positions_to,
        any_value(p.from_snapshot_ts) as from_snapshot_ts,
        any_value(p.to_snapshot_ts) as to_snapshot_ts
    from parted as p
    group by p.side, p.bucket
)

select
    q.coin_asked as coin,
    s.side,
    bucket_low(s.bucket, width_pct) as px_low,
    bucket_low(s.bucket + 1, width_pct) as px_high,
    s.from_notional,
    s.to_notional,
    s.held,
    s.held_unasked,
    s.resized,
    s.repriced,
    s.moved_in,
    s.moved_out,
    s.opened,
    s.found,
    s.closed + s.liquidated as gone,
    if(c.is_held, s.closed, null) as closed,
    if(c.is_held, s.liquidated, null) as liquidated,
    s.not_seen,
    s.positions_from,
    s.positions_to,
    c.is_held as fills_held,
    s.from_snapshot_ts,
    s.to_snapshot_ts
from summed as s
cross join covered as c
cross join asked as q
order by s.side, s.bucket
