-- The first and the last trade of a bar lie between its lowest and its highest.
--
-- check: stop
-- table: candles
-- reads: candles
select
    min(start_ts) as start_ts,
    max(start_ts) + interval 1 microsecond as end_ts,
    source,
    coin as subject,
    first(
        'low ' || low_px || ', open ' || open_px || ', close ' || close_px || ', high ' || high_px
        order by start_ts
    ) as what,
    count(*) as rows,
    max(known_ts) as known_ts
from candles_versions
where
    superseded_ts is null
    and day >= getvariable('since')
    and day < getvariable('until')
    and (low_px > least(open_px, close_px) or high_px < greatest(open_px, close_px))
group by day, source, coin
