-- The bars of the series that covers a period best: the shortest interval of an hour or more,
-- then the venue with the most bars; of equals the coin's own venue stands.
--
-- grain: start_ts
-- reads: candles
-- units: prices are USD
with shown as (
    select
        *,
        case interval when '1h' then 0 when '1d' then 2 else 1 end as coarseness
    from candles
    where
        coin = $coin
        and regexp_full_match(interval, '[0-9]+[mhdw]')
        and start_ts >= $since
        and start_ts < $until
        and day >= $since::date
        and day <= $until::date
),

best as (
    select
        venue,
        interval,
        source
    from shown
    group by venue, interval, source
    order by
        min(coarseness),
        count(*) desc,
        venue != 'hyperliquid',
        venue,
        source
    limit 1
)

select
    s.venue,
    s.interval,
    s.source,
    s.start_ts,
    s.open_px,
    s.high_px,
    s.low_px,
    s.close_px,
    s.known_ts
from shown as s
inner join best using (venue, interval, source)
order by s.start_ts
