-- The venue's mark for a coin at the snapshot that answers for a moment (see positions_at), or, where
-- no position in the coin is known, the newest asset context known then.  No row: no snapshot, or
-- no price known.
--
-- grain: at most one row
-- reads: snapshot_at, positions_at, asset_contexts
-- columns:
--   px | USD | the coin's mark | never | positions.mark_px, asset_contexts.mark_px
--   from snapshot_at: snapshot_ts
-- table macro: current_px(coin, "at", knowable := false, max_age := interval 26 hours, untrusted := false, coin_by := null)
with asked as (
    select
        coin as coin_asked,
        checked_moment("at", 'at') as at_asked,
        knowable as knowable_asked
),

answering as (
    from snapshot_at(coin, "at", knowable := knowable, untrusted := untrusted)
),

held as (
    from positions_at(coin, "at", knowable := knowable, max_age := max_age, untrusted := untrusted, coin_by := coin_by)
),

marked as (
    select any_value(h.current_px) as px
    from held as h
),

context as (
    select c.mark_px as px
    from asset_contexts_versions as c
    cross join asked as q
    where
        c.coin = q.coin_asked
        and c.venue = 'hyperliquid'
        and c.mark_px is not null
        and c.context_ts <= q.at_asked
        and c.day <= (q.at_asked at time zone 'UTC')::date
        and stands(c.known_ts, c.since_ts, c.superseded_ts, q.at_asked, q.knowable_asked)
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
