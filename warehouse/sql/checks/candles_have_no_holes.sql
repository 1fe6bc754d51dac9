-- A series of bars has every bar between its first and its last.
-- A hole of more than a day is a missing file, which `undertow gaps` lists.
--
-- check: warn
-- table: candles
-- reads: candles
with rows_told as (
    select
        venue,
        coin,
        interval,
        source,
        start_ts as told_ts,
        case interval
            when '1m' then interval 1 minute
            when '1h' then interval 1 hour
            when '1d' then interval 1 day
        end as step,
        lead(start_ts) over series as next_ts,
        lead(known_ts) over series as known_ts
    from candles_versions
    where
        superseded_ts is null
        and day >= getvariable('since') - 1
        and day <= getvariable('until')
    window series as (partition by venue, coin, interval, source order by start_ts)
)

select
    told_ts + step as start_ts,
    next_ts as end_ts,
    source,
    coin as subject,
    'no ' || interval || ' bar' || ' on ' || venue || ' for ' || next_ts - told_ts - step as what,
    (epoch(next_ts - told_ts) / epoch(step))::bigint - 1 as rows,
    known_ts
from rows_told
where
    next_ts > told_ts + step
    and next_ts <= told_ts + step + interval 1 day
    and (told_ts + step)::date >= getvariable('since')
    and (told_ts + step)::date < getvariable('until')
