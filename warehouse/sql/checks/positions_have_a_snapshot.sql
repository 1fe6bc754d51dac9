-- Every position is of a snapshot that the lake knows: of its own time or, where an account was
-- asked in a sweep, of the sweep's.  No view answers from positions that have none.
--
-- check: stop
-- table: positions
-- reads: positions, snapshots, accounts
with said as (
    select
        snapshot_ts,
        source,
        scope
    from snapshots_versions
    where
        superseded_ts is null
        and day >= getvariable('since')
        and day <= getvariable('until')
),

asked as (
    select
        a.state_ts,
        a.source,
        a.scope,
        a.account
    from accounts_versions as a
    semi join said as s
        on
            a.sweep_ts = s.snapshot_ts
            and a.source = s.source
            and a.scope = s.scope
    where
        a.superseded_ts is null
        and a.day >= getvariable('since')
        and a.day < getvariable('until')
),

lone as (
    select p.*
    from positions_versions as p
    anti join said as s
        on
            p.snapshot_ts = s.snapshot_ts
            and p.source = s.source
            and p.scope = s.scope
    where
        p.superseded_ts is null
        and p.day >= getvariable('since')
        and p.day < getvariable('until')
)

select
    min(l.snapshot_ts) as start_ts,
    max(l.snapshot_ts) + interval 1 microsecond as end_ts,
    l.source,
    'all' as subject,
    count(*) || ' positions of ' || l.scope || ' are of no snapshot' as what,
    count(*) as rows,
    max(l.known_ts) as known_ts
from lone as l
anti join asked as a
    on
        l.snapshot_ts = a.state_ts
        and l.source = a.source
        and l.scope = a.scope
        and l.account = a.account
group by l.day, l.source, l.scope
