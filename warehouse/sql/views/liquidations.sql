-- Forced closings, one row per trade, seen from the side of the account that was liquidated.
--
-- Both sides of such a trade carry the liquidation.  The liquidated account's own row stands; where
-- only the other side's was landed, it is read the other way round.  Rows of before 2024-02 do not
-- name the liquidated account: there the taker of a market liquidation is it.
--
-- grain: coin, time_ts, trade_id
-- reads: fills
-- units: px and mark_px are USD; size is coins; notional is USD at px
with sides as (
    select
        f.*,
        coalesce(f.liquidated_account, if(f.is_taker, f.account, null)) as liquidated
    from fills as f
    where f.liquidation_method is not null
)

select
    day,
    coin,
    time_ts,
    trade_id,
    liquidated as account,
    if(is_buy = coalesce(account = liquidated, false), 'short', 'long') as side,
    px,
    size,
    px * size as notional,
    liquidation_method as method,
    liquidation_mark_px as mark_px,
    source,
    known_ts
from sides
qualify row_number() over (
    partition by coin, time_ts, trade_id
    order by coalesce(account = liquidated, false) desc, known_ts, account, is_buy
) = 1
