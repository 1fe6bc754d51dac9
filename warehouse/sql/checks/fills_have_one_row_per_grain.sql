-- No two parts hold the same side of a trade: what reads both would count it twice.  A part alone
-- cannot hold one twice, so only days are read on which the times of two parts overlap.
--
-- check: stop
-- table: fills
-- reads: fills
with doubled as (
    select
        day,
        coin,
        time_ts,
        trade_id,
        account,
        is_buy,
        source,
        count(*) as held,
        max(known_ts) as known_ts
    from fills_versions
    where
        superseded_ts is null
        and day in getvariable('overlapping')
        and day >= getvariable('since')
        and day < getvariable('until')
    group by
        day,
        coin,
        time_ts,
        trade_id,
        account,
        is_buy,
        source
    having count(*) > 1
)

select
    min(time_ts) as start_ts,
    max(time_ts) + interval 1 microsecond as end_ts,
    source,
    coin as subject,
    'the same side of a trade up to ' || max(held) || ' times' as what,
    sum(held)::bigint as rows,
    max(known_ts) as known_ts
from doubled
group by day, source, coin
