-- The snapshot that answers for a moment: the newest trusted, complete one that covers the coin's
-- dex, at or before it.  With knowable := true, the newest of those already published then.
--
-- grain: at most one row
-- reads: snapshots
-- table macro: snapshot_at(coin, "at", knowable := false)
select
    s.day,
    s.snapshot_ts,
    s.source,
    s.scope,
    s.known_ts
from snapshots as s
where
    s.snapshot_ts <= "at"
    and s.day <= ("at" at time zone 'UTC')::date
    and s.complete
    and s.trusted
    and (not knowable or s.known_ts <= "at")
    and s.scope in ('all', if(contains(coin, ':'), split_part(coin, ':', 1), 'hyperliquid'))
order by s.snapshot_ts desc, s.scope, s.source
limit 1
