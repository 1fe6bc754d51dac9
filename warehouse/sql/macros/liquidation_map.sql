-- Where one coin's leverage lives: liquidation notional by side and price bucket.
--
-- Buckets are width_pct per cent wide, or width_px USD if that is given (see bucket_at).  A map of
-- the usual width is read from liquidation_levels where those are of the lake as it is now, and from
-- positions_at otherwise; both say the same.
--
-- grain: side, px_low
-- reads: levels_at, positions_at
-- columns:
--   coin              | none      | the coin asked for | never | argument coin
--   side              | none      | of the positions: long or short | never | positions.size
--   px_low            | USD       | lower edge of the bucket, part of it | never | made here
--   px_high           | USD       | upper edge, not part of it | never | made here
--   px                | USD       | mean liquidation price, by notional
--       | never | positions.liquidation_px
--   size              | coin      | coins that close there, not signed | never | positions.size
--   notional          | USD       | at the prices where the positions close
--       | never | positions.size, positions.liquidation_px
--   positions         | positions | that close there | never | made here
--   accounts          | accounts  | that hold them | never | made here
--   top_account_share | fraction  | of the bucket's notional, the largest holder's | never | made here
--   herfindahl        | fraction  | sum of the holders' squared fractions: 1 is one holder, 1/n is n
--         equal ones
--       | never | made here
--   distance_pct      | per cent  | px against current_px, signed | current_px is not known | made here
--   current_px        | USD       | the coin's mark at snapshot_ts
--       | not known | positions.mark_px, asset_contexts.mark_px
--   snapshot_ts       | none      | of the snapshot or sweep that answers
--       | never | snapshots.snapshot_ts
-- table macro: liquidation_map(coin, "at", width_pct := 0.5, width_px := null, knowable := false, max_age := interval 26 hours, untrusted := false, coin_by := null)
with map_asked as materialized (
    select
        coin as coin_asked,
        checked_moment("at", 'at') as at_asked,
        checked_width(width_pct) as width_asked,
        -- Checked though nothing may be held.
        if(width_px is null, null, checked_ticks(width_px)) as ticks_asked
),

map_levels as materialized (
    select l.*
    from levels_at(coin, "at", width_pct, width_px, knowable := knowable, max_age := max_age, untrusted := untrusted) as l
),

held as materialized (
    from positions_at(
        coin,
        (select if(exists (from map_levels), null, q.at_asked) from map_asked as q),
        knowable := knowable,
        max_age := max_age,
        untrusted := untrusted,
        coin_by := coin_by
    )
),

marked as (
    select
        any_value(h.current_px) as px,
        any_value(h.snapshot_ts) as snapshot_ts
    from held as h
),

priced as (
    select
        h.*,
        bucket_at(h.liquidation_px, q.width_asked, q.ticks_asked) as bucket
    from held as h
    cross join map_asked as q
    where h.liquidation_px is not null
),

bucketed as (
    select
        p.side,
        p.bucket,
        sum(p.notional * p.liquidation_px) / sum(p.notional) as px,
        sum(abs(p.size)) as size,
        sum(p.notional) as notional,
        count(*) as positions,
        max(p.notional) / sum(p.notional) as top_account_share,
        sum(p.notional * p.notional) / (sum(p.notional) * sum(p.notional)) as herfindahl,
        m.px as current_px,
        m.snapshot_ts
    from priced as p
    cross join marked as m
    group by all
),

told as (
    select *
    from bucketed
    union all
    select
        l.side,
        l.bucket,
        l.px,
        l.size,
        l.notional,
        l.positions,
        l.top_account_share,
        l.herfindahl,
        l.current_px,
        l.snapshot_ts
    from map_levels as l
)

select
    q.coin_asked as coin,
    t.side,
    edge_at(t.bucket, q.width_asked, q.ticks_asked) as px_low,
    edge_at(t.bucket + 1, q.width_asked, q.ticks_asked) as px_high,
    t.px,
    t.size,
    t.notional,
    t.positions,
    t.positions as accounts,
    t.top_account_share,
    t.herfindahl,
    (t.px / t.current_px - 1) * 100 as distance_pct,
    t.current_px,
    t.snapshot_ts
from told as t
cross join map_asked as q
order by t.side, t.bucket
