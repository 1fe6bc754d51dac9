-- Nothing is known before it was true: a row that says so would tell a backtest the future.
--
-- check: stop
-- table: candles
-- reads: candles
select
    min(start_ts) as start_ts,
    max(start_ts) + interval 1 microsecond as end_ts,
    source,
    coin as subject,
    'known up to ' || max(start_ts - known_ts) || ' before it was true' as what,
    count(*) as rows,
    max(known_ts) as known_ts
from candles_versions
where
    superseded_ts is null
    and known_ts < start_ts
    and day >= getvariable('since')
    and day < getvariable('until')
group by day, source, coin
