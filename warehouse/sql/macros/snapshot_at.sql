-- The snapshot that answers for a moment: the newest trusted one that covers the coin's dex, at or
-- before it.  With knowable := true, the newest of those already published then; with
-- untrusted := true, of those too that failed for too many accounts.
--
-- A snapshot answers if it is complete by its source's word, or if it is a sweep that asked accounts
-- one by one and had answers: then `complete` is false, and what states_at merges stands behind it.
-- A sweep answers from its end on, for only then is it known whether it may be trusted.  A snapshot
-- that is neither (a part of the venue, without who was asked) cannot say who held nothing, and
-- never answers.
--
-- grain: at most one row
-- reads: snapshots
-- columns:
--   from snapshots: day, snapshot_ts, source, scope, known_ts
--   complete | none | true: it holds every position of its scope, by its source's word; false: a sweep
--       | never | snapshots.complete
-- table macro: snapshot_at(coin, "at", knowable := false, untrusted := false)
--
-- Parameters are named before any table is: a macro's argument may be a column (a lateral join over
-- moments), and beside a table of ours it would be taken for a column of that table.
with asked as (
    select
        checked_moment("at", 'at') as at_asked,
        knowable as knowable_asked,
        untrusted as untrusted_asked,
        if(contains(coin, ':'), split_part(coin, ':', 1), 'hyperliquid') as dex_asked
)

select
    s.day,
    s.snapshot_ts,
    s.source,
    s.scope,
    s.known_ts,
    s.complete
from snapshots_versions as s
cross join asked as q
where
    s.snapshot_ts <= q.at_asked
    and s.day <= (q.at_asked at time zone 'UTC')::date
    and (s.complete or s.accounts_asked > coalesce(s.accounts_failed, 0))
    and (s.trusted or q.untrusted_asked)
    and stands(s.known_ts, s.since_ts, s.superseded_ts, q.at_asked, q.knowable_asked)
    and s.scope in ('all', q.dex_asked)
order by s.snapshot_ts desc, s.complete desc, s.scope, s.source
limit 1
