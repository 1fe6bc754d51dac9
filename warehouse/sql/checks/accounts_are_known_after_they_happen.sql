-- Nothing is known before it was true: a row that says so would tell a backtest the future.
--
-- check: stop
-- table: accounts
-- reads: accounts
select
    min(state_ts) as start_ts,
    max(state_ts) + interval 1 microsecond as end_ts,
    source,
    'all' as subject,
    'known up to ' || max(state_ts - known_ts) || ' before it was true' as what,
    count(*) as rows,
    max(known_ts) as known_ts
from accounts_versions
where
    superseded_ts is null
    and known_ts < state_ts
    and day >= getvariable('since')
    and day < getvariable('until')
group by day, source
