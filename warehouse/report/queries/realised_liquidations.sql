-- Liquidations that happened, by stretch of time and side of the liquidated position.
--
-- A trade has two rows that say the same liquidation; it is counted once.  A trade closed by
-- automatic deleveraging closes healthy positions and is counted apart.
--
-- grain: start_ts, side
-- reads: fills
-- units: notional and adl_notional are USD at the trade's price; px is notional-weighted, USD
with trades as (
    select
        f.coin,
        f.time_ts,
        f.trade_id,
        any_value(f.px) as px,
        any_value(f.size) as size,
        any_value(f.liquidation_method) as method,
        -- The row of the liquidated account says its side; the other row says the opposite.
        bool_or(f.is_buy = coalesce(f.account = f.liquidated_account, f.is_taker)) as buys
    from fills as f
    where
        f.coin = $coin
        and f.liquidation_method is not null
        and f.time_ts >= $since
        and f.time_ts < $until
        and f.day >= $since::date
        and f.day <= $until::date
    group by all
)

select
    time_bucket(to_hours($hours), time_ts) as start_ts,
    if(buys, 'short', 'long') as side,
    sum(px * px * size) / sum(px * size) as px,
    coalesce(sum(px * size) filter (where method != 'adl'), 0) as notional,
    coalesce(sum(px * size) filter (where method = 'adl'), 0) as adl_notional,
    count(*) filter (where method != 'adl') as liquidations
from trades
where size > 0
group by all
order by start_ts, side
