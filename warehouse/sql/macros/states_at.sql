-- What the map of a moment is made of: the complete snapshot that every account is read from
-- (account is null), and the accounts whose own answers are newer, each with its newest.
--
-- If the answering snapshot is complete, it answers alone: one row.  If it is a sweep, the newest
-- answer of each account stands, out of all trusted sweeps so far, as long as it is at most max_age
-- older than the answering sweep.  Who was not asked since the newest complete snapshot is read from
-- that, if it too is at most max_age older: otherwise a sweep of a few accounts would wipe out what
-- a complete snapshot knew an hour before.
--
-- Age is counted from the answering sweep, not from the moment asked for: so a map changes when a
-- sweep ends and not between, and says by snapshot_ts how old it is, as complete snapshots do.  26
-- hours are a nightly sweep and the time it may take or be late.
--
-- grain: account
-- reads: snapshot_at, snapshots, accounts
-- columns:
--   account     | none | whose own answer stands
--       | the complete snapshot that everybody else is read from | accounts.account
--   state_ts    | none | instant the state was true at the venue
--       | never | accounts.state_ts, snapshots.snapshot_ts
--   day         | none | UTC date of state_ts | never | accounts.day, snapshots.day
--   source      | none | where the state came from | never | accounts.source, snapshots.source
--   scope       | none | perp dexes it covers: one dex's name, or all
--       | never | accounts.scope, snapshots.scope
--   sweep_ts    | none | snapshot_ts of the snapshot or sweep that the state came with
--       | never | snapshots.snapshot_ts
--   snapshot_ts | none | of the snapshot or sweep that answers | never | snapshots.snapshot_ts
--   known_ts    | none | first instant at which a follower could have had the state and its sweep
--       | never | accounts.known_ts, snapshots.known_ts
-- table macro: states_at(coin, "at", knowable := false, max_age := interval 26 hours, untrusted := false)
with asked as (
    select
        checked_moment("at", 'at') as at_asked,
        knowable as knowable_asked,
        checked_reach(max_age) as age_asked,
        untrusted as untrusted_asked,
        dex_of(coin) as dex_asked
),

answering as (
    from snapshot_at(coin, "at", knowable := knowable, untrusted := untrusted)
),

-- A complete snapshot reaches back to itself alone.
reach as (
    select
        a.snapshot_ts,
        -- Asked of a complete snapshot too, so that an age that is none is always refused.
        if(q.age_asked is not null and a.complete, a.snapshot_ts, a.snapshot_ts - q.age_asked) as oldest_ts
    from answering as a
    cross join asked as q
),

-- Days are joined by equality, not by a range, and there always is one: only then are the files of
-- other days not opened (DuckDB 2.0).
days as (
    select
        r.snapshot_ts,
        r.oldest_ts,
        unnest(generate_series(
            date_trunc('day', r.oldest_ts at time zone 'UTC'),
            date_trunc('day', r.snapshot_ts at time zone 'UTC'),
            interval 1 day
        ))::date as day
    from reach as r
),

reachable as (
    select
        s.snapshot_ts as sweep_ts,
        s.day,
        s.source,
        s.scope,
        s.complete,
        s.known_ts,
        d.snapshot_ts,
        d.oldest_ts
    from snapshots_versions as s
    inner join days as d on s.day = d.day
    cross join asked as q
    where
        s.snapshot_ts between d.oldest_ts and d.snapshot_ts
        and (s.complete or s.accounts_asked > coalesce(s.accounts_failed, 0))
        and (s.trusted or q.untrusted_asked)
        and stands(s.known_ts, s.since_ts, s.superseded_ts, q.at_asked, q.knowable_asked)
        and s.scope in ('all', q.dex_asked)
),

complete as (
    select *
    from reachable
    where complete
    order by sweep_ts desc, scope, source
    limit 1
),

-- All that an answer is held against, in one relation: beside more of them every day is read.
sought as (
    select
        r.*,
        d.day as answer_day,
        e.sweep_ts as base_ts,
        q.at_asked,
        q.knowable_asked
    from reachable as r
    cross join days as d
    cross join asked as q
    left join complete as e on true
    where not r.complete
),

answers as (
    select
        c.account,
        c.state_ts,
        c.day,
        c.source,
        c.scope,
        c.sweep_ts,
        r.snapshot_ts,
        greatest(c.known_ts, r.known_ts) as known_ts
    from accounts_versions as c
    inner join sought as r
        on
            c.day = r.answer_day
            and c.sweep_ts = r.sweep_ts
            and c.source = r.source
            and c.scope = r.scope
    where
        c.positions is not null
        and c.state_ts between r.oldest_ts and r.snapshot_ts
        and c.state_ts > coalesce(r.base_ts, '-infinity'::timestamptz)
        and stands(c.known_ts, c.since_ts, c.superseded_ts, r.at_asked, r.knowable_asked)
    qualify row_number() over (
        partition by c.account
        order by c.state_ts desc, c.sweep_ts desc, c.scope, c.source
    ) = 1
)

select
    null::varchar as account,
    e.sweep_ts as state_ts,
    e.day,
    e.source,
    e.scope,
    e.sweep_ts,
    e.snapshot_ts,
    e.known_ts
from complete as e
union all
select *
from answers
