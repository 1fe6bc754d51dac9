-- No two parts hold the same position: what reads both would count it twice.  A part alone cannot
-- hold one twice, so only days are read on which the times of two parts overlap.
--
-- check: stop
-- table: positions
-- reads: positions
with doubled as (
    select
        day,
        snapshot_ts,
        source,
        scope,
        coin,
        account,
        count(*) as held,
        max(known_ts) as known_ts
    from positions_versions
    where
        superseded_ts is null
        and day in getvariable('overlapping')
        and day >= getvariable('since')
        and day < getvariable('until')
    group by
        day,
        snapshot_ts,
        source,
        scope,
        coin,
        account
    having count(*) > 1
)

select
    min(snapshot_ts) as start_ts,
    max(snapshot_ts) + interval 1 microsecond as end_ts,
    source,
    coin as subject,
    'the same position up to ' || max(held) || ' times' as what,
    sum(held)::bigint as rows,
    max(known_ts) as known_ts
from doubled
group by day, source, coin
