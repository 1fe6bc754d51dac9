-- How long the mass of a map lasts: of what lay on a coin's map at a moment, the share that is still there
-- after each age.  Exactly: docs/definitions.md, Changes of the map.
--
-- grain: side, hours
-- reads: map_moves
-- columns:
--   coin          | none      | the coin asked for | never | argument coin
--   from map_moves: side, from_snapshot_ts
--   hours         | hours     | age: from from_at to ts | never | argument hours
--   ts            | none      | moment of the later map; none after until | never | made here
--   from_notional | USD       | what lay on the first map, at its liquidation prices
--       | never | positions.size, positions.liquidation_px
--   positions     | positions | of from_notional | never | made here
--   unchanged     | fraction  | of from_notional, with the same size and price
--       | nobody was asked again | made here
--   same_bucket   | fraction  | of from_notional, what is left in its bucket, unchanged included
--       | nobody was asked again | made here
--   held          | fraction  | of from_notional, what is left on its side, same_bucket included
--       | nobody was asked again | made here
--   gone          | fraction  | of from_notional, what is not left; held + gone + not_seen = 1
--       | nobody was asked again | made here
--   not_seen      | fraction  | of from_notional, whose account nobody asked since, or the later map
--         has forgotten
--       | never | made here
--   snapshot_ts   | none      | of what answers for the later map | never | snapshots.snapshot_ts
-- table macro: mass_decay(coin, from_at, until, hours := [1, 2, 4, 8, 16, 32, 64, 128, 256, 512], width_pct := 0.5, knowable := false, max_age := interval 26 hours, untrusted := false)
with coin_known as materialized (
    select checked_coin(coin, checked_later(from_at, until, 'until'), knowable) as coin_asked
),

asked as (
    select
        k.coin_asked,
        checked_moment(from_at, 'from_at') as from_asked,
        checked_later(from_at, until, 'until') as until_asked,
        knowable as knowable_asked,
        max_age as age_asked,
        untrusted as untrusted_asked
    from coin_known as k
    where checked_width(width_pct) > 0 and len(checked_hours(hours)) >= 0
),

ages as (
    select
        q.*,
        unnest(checked_hours(hours)) as age
    from asked as q
),

moments as (
    select
        a.*,
        a.from_asked + to_microseconds((a.age * 3.6e9)::bigint) as moment
    from ages as a
    where a.from_asked + to_microseconds((a.age * 3.6e9)::bigint) <= a.until_asked
),

moves as (
    select
        n.age,
        n.moment,
        m.*,
        m.from_size * m.from_px as mass,
        least(m.from_size, m.to_size) * m.from_px as left_over,
        m.to_state_ts is null or coalesce(m.from_state_ts = m.to_state_ts, false) as is_unseen,
        coalesce(bucket_of(m.from_px, width_pct) = bucket_of(m.to_px, width_pct), false) as is_same_bucket,
        coalesce(m.from_size = m.to_size and abs(m.to_px / m.from_px - 1) <= 1e-9, false) as is_unchanged
    from moments as n
    cross join lateral (
        from map_moves(
            n.coin_asked,
            n.from_asked,
            n.moment,
            knowable := n.knowable_asked,
            max_age := n.age_asked,
            untrusted := n.untrusted_asked,
            coin_by := n.until_asked
        )
    ) as m
    where m.from_size > 0 and m.from_px is not null
),

summed as (
    select
        m.side,
        m.age,
        any_value(m.moment) as moment,
        count(*) as positions,
        sum(m.mass) as from_notional,
        sum(m.mass) filter (where m.is_unseen) as not_seen,
        sum(m.left_over) filter (where not m.is_unseen) as held,
        sum(m.left_over) filter (where not m.is_unseen and m.is_same_bucket) as same_bucket,
        sum(m.mass) filter (where not m.is_unseen and m.is_unchanged) as unchanged,
        bool_and(m.is_unseen) as is_unseen,
        any_value(m.from_snapshot_ts) as from_snapshot_ts,
        any_value(m.to_snapshot_ts) as snapshot_ts
    from moves as m
    group by m.side, m.age
)

select
    q.coin_asked as coin,
    s.side,
    s.age as hours,
    s.moment as ts,
    s.from_notional,
    s.positions,
    if(s.is_unseen, null, coalesce(s.unchanged, 0) / s.from_notional) as unchanged,
    if(s.is_unseen, null, coalesce(s.same_bucket, 0) / s.from_notional) as same_bucket,
    if(s.is_unseen, null, coalesce(s.held, 0) / s.from_notional) as held,
    if(
        s.is_unseen,
        null,
        (s.from_notional - coalesce(s.not_seen, 0) - coalesce(s.held, 0)) / s.from_notional
    ) as gone,
    coalesce(s.not_seen, 0) / s.from_notional as not_seen,
    s.from_snapshot_ts,
    s.snapshot_ts
from summed as s
cross join asked as q
order by s.side, s.age
