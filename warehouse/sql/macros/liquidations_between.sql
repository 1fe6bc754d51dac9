-- Forced closings of one coin within [since, until), as the view liquidations tells them: one row
-- a trade, seen from the side of the account that was liquidated.  Only the days asked for are read.
--
-- Where several sources tell of a fill, it is a liquidation if one of them says so.  With
-- with_end := true those at `until` itself count too: a map at a moment is of the end of its block.
-- What was knowable is asked for at `until` either way.
--
-- grain: time_ts, trade_id
-- reads: fills
-- columns:
--   as liquidations: day, coin, time_ts, trade_id, account, side, px, size, notional, method, mark_px,
--       source, known_ts
-- table macro: liquidations_between(coin, since, until, knowable := false, with_end := false, coin_by := null)
with coin_known as materialized (
    select checked_coin(
        coin,
        coalesce(checked_moment(coin_by, 'coin_by'), checked_until(since, until)),
        knowable,
        with_end := with_end
    ) as coin_asked
),

asked as (
    select
        k.coin_asked,
        checked_moment(since, 'since') as since_asked,
        checked_until(since, until) as until_asked,
        knowable as knowable_asked,
        with_end as end_asked
    from coin_known as k
),

days as (
    select
        q.*,
        unnest(generate_series(
            date_trunc('day', q.since_asked at time zone 'UTC'),
            q.until_asked at time zone 'UTC',
            interval 1 day
        ))::date as day
    from asked as q
),

told as (
    select
        f.*,
        coalesce(f.liquidated_account, if(f.is_taker, f.account, null)) as liquidated
    from fills_versions as f
    inner join days as d on f.day = d.day
    where
        f.coin = d.coin_asked
        and f.liquidation_method is not null
        and f.time_ts >= d.since_asked
        and (f.time_ts < d.until_asked or (d.end_asked and f.time_ts = d.until_asked))
        and stands(f.known_ts, f.since_ts, f.superseded_ts, d.until_asked, d.knowable_asked)
),

-- The nth alike of a source is the nth alike of another: as the view fills counts them.
numbered as (
    select
        t.*,
        row_number() over (
            partition by
                date_trunc('millisecond', t.time_ts),
                t.account,
                t.is_buy,
                t.order_id,
                t.px,
                t.size,
                t.source
            order by t.time_ts, t.trade_id
        ) as nth
    from told as t
),

once as (
    select n.*
    from numbered as n
    qualify row_number() over (
        partition by
            date_trunc('millisecond', n.time_ts), n.account, n.is_buy, n.order_id, n.px, n.size, n.nth
        order by n.known_ts, n.source
    ) = 1
)

select
    o.day,
    o.coin,
    o.time_ts,
    o.trade_id,
    o.liquidated as account,
    if(o.is_buy = coalesce(o.account = o.liquidated, false), 'short', 'long') as side,
    o.px,
    o.size,
    o.px * o.size as notional,
    o.liquidation_method as method,
    o.liquidation_mark_px as mark_px,
    o.source,
    o.known_ts
from once as o
qualify row_number() over (
    partition by o.time_ts, o.trade_id
    order by coalesce(o.account = o.liquidated, false) desc, o.known_ts, o.account, o.is_buy
) = 1
