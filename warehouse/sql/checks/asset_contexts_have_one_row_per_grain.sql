-- No two parts hold the same reading: what reads both would count it twice.  A part alone cannot
-- hold one twice, so only days are read on which the times of two parts overlap.
--
-- check: stop
-- table: asset_contexts
-- reads: asset_contexts
with doubled as (
    select
        day,
        venue,
        coin,
        context_ts,
        source,
        count(*) as held,
        max(known_ts) as known_ts
    from asset_contexts_versions
    where
        superseded_ts is null
        and day in getvariable('overlapping')
        and day >= getvariable('since')
        and day < getvariable('until')
    group by
        day,
        venue,
        coin,
        context_ts,
        source
    having count(*) > 1
)

select
    min(context_ts) as start_ts,
    max(context_ts) + interval 1 microsecond as end_ts,
    source,
    coin as subject,
    'the same reading up to ' || max(held) || ' times' as what,
    sum(held)::bigint as rows,
    max(known_ts) as known_ts
from doubled
group by day, source, coin
