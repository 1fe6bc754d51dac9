-- Positions of one coin in the snapshots of the relation `shown`, with a price in reach.
--
-- grain: snapshot_ts, account
-- reads: positions, shown
select
    p.snapshot_ts,
    p.source,
    p.scope,
    p.size,
    p.liquidation_px,
    p.mark_px
from positions as p
inner join shown as s using (day, snapshot_ts, source, scope)
where p.coin = $coin
