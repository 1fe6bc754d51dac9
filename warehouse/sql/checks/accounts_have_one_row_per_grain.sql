-- No two parts hold the same answer of an account: what reads both would count it twice.  A part
-- alone cannot hold one twice, so only days are read on which the times of two parts overlap.
--
-- check: stop
-- table: accounts
-- reads: accounts
with doubled as (
    select
        day,
        state_ts,
        source,
        scope,
        account,
        count(*) as held,
        max(known_ts) as known_ts
    from accounts_versions
    where
        superseded_ts is null
        and day in getvariable('overlapping')
        and day >= getvariable('since')
        and day < getvariable('until')
    group by
        day,
        state_ts,
        source,
        scope,
        account
    having count(*) > 1
)

select
    min(state_ts) as start_ts,
    max(state_ts) + interval 1 microsecond as end_ts,
    source,
    'all' as subject,
    'the same answer of an account up to ' || max(held) || ' times' as what,
    sum(held)::bigint as rows,
    max(known_ts) as known_ts
from doubled
group by day, source
