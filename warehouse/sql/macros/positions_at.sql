-- The positions of one coin in the snapshot that answers for a moment.
--
-- grain: account
-- reads: positions, snapshot_at
-- units: notional is USD at liquidation_px, where the position closes; null without a price
-- table macro: positions_at(coin, "at", knowable := false)
with asked as (
    select coin as coin_asked
),

answering as (
    from snapshot_at(coin, "at", knowable := knowable)
)

select
    p.account,
    if(p.size > 0, 'long', 'short') as side,
    p.size,
    p.entry_px,
    p.mark_px,
    p.liquidation_px,
    p.liquidation_px_source,
    abs(p.size) * p.liquidation_px as notional,
    abs(p.size) * p.mark_px as mark_notional,
    p.leverage,
    p.leverage_type,
    a.snapshot_ts,
    a.source
from positions as p
cross join asked as q
inner join answering as a
    on
        p.day = a.day
        and p.snapshot_ts = a.snapshot_ts
        and p.source = a.source
        and p.scope = a.scope
where p.coin = q.coin_asked
