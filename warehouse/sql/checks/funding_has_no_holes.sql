-- A coin that is charged funding every hour is so in every hour between its first and its last.
-- A hole of more than a day is a missing file, which `undertow gaps` lists.
--
-- check: warn
-- table: funding
-- reads: funding
with rows_told as (
    select
        venue,
        coin,
        source,
        date_trunc('hour', time_ts) as told_ts,
        interval 1 hour as step,
        lead(date_trunc('hour', time_ts)) over series as next_ts,
        lead(known_ts) over series as known_ts
    from funding_versions
    where
        superseded_ts is null
        and period_hours = 1
        and day >= getvariable('since') - 1
        and day <= getvariable('until')
    window series as (partition by venue, coin, source order by time_ts)
)

select
    told_ts + step as start_ts,
    next_ts as end_ts,
    source,
    coin as subject,
    'no payment' || ' on ' || venue || ' for ' || next_ts - told_ts - step as what,
    (epoch(next_ts - told_ts) / epoch(step))::bigint - 1 as rows,
    known_ts
from rows_told
where
    next_ts > told_ts + step
    and next_ts <= told_ts + step + interval 1 day
    and (told_ts + step)::date >= getvariable('since')
    and (told_ts + step)::date < getvariable('until')
