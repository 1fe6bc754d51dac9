-- The venue's mark for a coin at the snapshot that answers for a moment (see mark_of), or, where
-- the coin has no position there, the newest asset context known then.  No row: no snapshot, or
-- no price known.
--
-- grain: at most one row
-- reads: snapshot_at, positions_at, asset_contexts
-- units: px is USD
-- table macro: current_px(coin, "at", knowable := false)
with asked as (
    select
        coin as coin_asked,
        "at" as at_asked,
        knowable as knowable_asked
),

answering as (
    from snapshot_at(coin, "at", knowable := knowable)
),

held as (
    from positions_at(coin, "at", knowable := knowable)
),

marked as (
    select mark_of(h.mark_px) as px
    from held as h
),

context as (
    select c.mark_px as px
    from asset_contexts as c
    cross join asked as q
    where
        c.coin = q.coin_asked
        and c.venue = 'hyperliquid'
        and c.mark_px is not null
        and c.context_ts <= q.at_asked
        and c.day <= (q.at_asked at time zone 'UTC')::date
        and (not q.knowable_asked or c.known_ts <= q.at_asked)
    order by c.context_ts desc, c.source
    limit 1
)

select
    coalesce(m.px, c.px) as px,
    a.snapshot_ts
from answering as a
cross join marked as m
left join context as c on true
where coalesce(m.px, c.px) is not null
