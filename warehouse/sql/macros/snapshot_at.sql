-- The snapshot that answers for a moment: the newest trusted, complete one that covers the coin's
-- dex, at or before it.  With knowable := true, the newest of those already published then.
--
-- grain: at most one row
-- reads: snapshots
-- table macro: snapshot_at(coin, "at", knowable := false)
--
-- Parameters are named before any table is: a macro's argument may be a column (a lateral join over
-- moments), and beside a table of ours it would be taken for a column of that table.
with asked as (
    select
        "at" as at_asked,
        knowable as knowable_asked,
        if(contains(coin, ':'), split_part(coin, ':', 1), 'hyperliquid') as dex_asked
)

select
    s.day,
    s.snapshot_ts,
    s.source,
    s.scope,
    s.known_ts
from snapshots as s
cross join asked as q
where
    s.snapshot_ts <= q.at_asked
    and s.day <= (q.at_asked at time zone 'UTC')::date
    and s.complete
    and s.trusted
    and (not q.knowable_asked or s.known_ts <= q.at_asked)
    and s.scope in ('all', q.dex_asked)
order by s.snapshot_ts desc, s.scope, s.source
limit 1
