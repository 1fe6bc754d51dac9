-- Forced closings, one row per trade, seen from the side of the account that was liquidated.
--
-- Both sides of such a trade carry the liquidation.  The liquidated account's own row stands; where
-- only the other side's was landed, it is read the other way round.  Rows of before 2024-02 do not
-- name the liquidated account: there the taker of a market liquidation is it.
--
-- grain: coin, time_ts, trade_id
-- reads: fills
-- columns:
--   from fills: day, coin, time_ts, trade_id, px, size, source, known_ts
--   account  | none | who was liquidated
--       | it is not named, and only the maker's side is held | fills.liquidated_account, fills.account
--   side     | none | of the position that was closed: long or short | never | fills.is_buy
--   notional | USD  | at px | never | fills.px, fills.size
--   method   | none | market: forced order in the book; backstop: taken over by the liquidator vault;
--         adl: closed against the other side
--       | never | fills.liquidation_method
--   mark_px  | USD  | mark at the liquidation | not given | fills.liquidation_mark_px
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
