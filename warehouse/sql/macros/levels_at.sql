-- The buckets of one coin's map at a moment as they were binned ahead; no row: they were not, or not
-- at this width, or they are not of the lake as it is now, and positions_at says.
--
-- With knowable := true they answer where all that they are made of was known by then and nothing of
-- it was ever corrected.
--
-- grain: side, bucket
-- reads: snapshot_at, liquidation_levels, levels_days
-- columns:
--   from liquidation_levels: day, snapshot_ts, source, scope, coin, side, bucket, px, size, notional,
--       positions, top_account_share, herfindahl, current_px, known_ts, px_low, px_high
-- table macro: levels_at(coin, "at", width_pct, width_px, knowable := false, max_age := interval 26 hours, untrusted := false)
with asked as (
    select
        coin as coin_asked,
        checked_moment("at", 'at') as at_asked,
        knowable as knowable_asked
    where
        try_cast(width_pct as double) = 0.5
        and width_px is null
        and try_cast(max_age as interval) = interval 26 hours
        and not untrusted
),

answering as (
    select
        a.day,
        a.snapshot_ts,
        a.source,
        a.scope
    from snapshot_at(coin, "at", knowable := knowable, untrusted := untrusted) as a
    inner join promised.levels_days as d on a.day = d.day
    cross join asked as q
    where not (d.revised and q.knowable_asked)
)

select l.*
from liquidation_levels as l
inner join answering as a
    on
        l.day = a.day
        and l.snapshot_ts = a.snapshot_ts
        and l.source = a.source
        and l.scope = a.scope
cross join asked as q
where
    l.coin = q.coin_asked
    and (not q.knowable_asked or l.known_ts <= q.at_asked)
