-- The two sides of a trade tell one price and one size, and one of them bought.  A trade of which
-- a source tells one side is no contradiction.
--
-- check: warn
-- table: fills
-- reads: fills
with trades as (
    select
        day,
        source,
        coin,
        time_ts,
        trade_id,
        count(*) as sides,
        min(px) as px_low,
        max(px) as px_high,
        min(size) as size_low,
        max(size) as size_high,
        max(known_ts) as known_ts
    from fills_versions
    where
        superseded_ts is null
        and day >= getvariable('since')
        and day < getvariable('until')
    group by day, source, coin, time_ts, trade_id
    having
        count(*) > 2
        or min(px) <> max(px)
        or min(size) <> max(size)
        or count_if(is_buy) > 1
        or count_if(not is_buy) > 1
)

select
    min(time_ts) as start_ts,
    max(time_ts) + interval 1 microsecond as end_ts,
    source,
    coin as subject,
    first(
        'trade ' || trade_id || ' has ' || sides || ' sides, px ' || px_low || ' to ' || px_high
        || ', size ' || size_low || ' to ' || size_high
        order by time_ts, trade_id
    ) as what,
    count(*) as rows,
    max(known_ts) as known_ts
from trades
group by day, source, coin
