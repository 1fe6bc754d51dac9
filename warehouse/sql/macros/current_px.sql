-- The venue's mark for a coin at the snapshot that answers for a moment (see mark_of), or, where
-- the coin has no position there, the newest asset context known then.  No row: no snapshot, or
-- no price known.
--
-- grain: at most one row
-- reads: snapshot_at, positions_at, asset_contexts
-- units: px is USD
-- table macro: current_px(coin, "at", knowable := false)
with marked as (
    select mark_of(p.mark_px) as px
    from positions_at(coin, "at", knowable := knowable) as p
),

context as (
    select c.mark_px as px
    from asset_contexts as c
    where
        c.coin = coin
        and c.venue = 'hyperliquid'
        and c.mark_px is not null
        and c.context_ts <= "at"
        and c.day <= ("at" at time zone 'UTC')::date
        and (not knowable or c.known_ts <= "at")
    order by c.context_ts desc, c.source
    limit 1
)

select
    coalesce(m.px, c.px) as px,
    a.snapshot_ts
from snapshot_at(coin, "at", knowable := knowable) as a
cross join marked as m
left join context as c on true
where coalesce(m.px, c.px) is not null
