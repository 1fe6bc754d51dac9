-- The newest reading of a coin's order book, at or before a moment and at most max_age before it; no
-- row beyond that.  Joins with any answer, as context_asof does.
--
-- grain: at most one row
-- reads: order_books
-- columns:
--   from order_books: book_ts, bids, asks, source
--   best_bid_px | USD     | highest bid | nobody buys | order_books.bids
--   best_ask_px | USD     | lowest ask | nobody sells | order_books.asks
--   mid_px      | USD     | between the two
--       | nobody buys, or nobody sells | order_books.bids, order_books.asks
--   depth       | USD     | what rests within depth_pct of mid_px, both sides
--       | a side is empty, or the reading may not reach so far (see book_depth) | order_books.bids,
--         order_books.asks
--   age_seconds | seconds | from book_ts to the moment asked for | never | made here
-- table macro: book_asof(coin, "at", max_age := interval 10 minutes, depth_pct := 0.1, knowable := false, coin_by := null)
with asked as (
    select
        coin as coin_asked,
        checked_moment("at", 'at') as at_asked,
        checked_age(max_age) as age_asked,
        checked_positive(depth_pct, 'depth_pct') as reach_pct,
        knowable as knowable_asked
),

coin_known as materialized (
    -- Cast, for that they are moments is checked where they are asked.
    select checked_coin(
        coin, coalesce(checked_moment(coin_by, 'coin_by'), try_cast("at" as timestamptz)), knowable
    ) is not null as is_known
),

hours as (
    select
        q.*,
        unnest(generate_series(
            on_grid(q.at_asked - q.age_asked, 3600000000), q.at_asked, interval 1 hour
        )) as hour_ts
    from asked as q
),

near as (
    select
        b.book_ts,
        b.bids[1].px as best_bid_px,
        b.asks[1].px as best_ask_px,
        (b.bids[1].px + b.asks[1].px) / 2 as mid_px,
        book_depth(b.bids, b.asks, h.reach_pct) as depth,
        b.bids,
        b.asks,
        b.source,
        (epoch_us(h.at_asked) - epoch_us(b.book_ts)) / 1000000 as age_seconds
    from order_books_versions as b
    inner join hours as h
        on
            b.day = (h.hour_ts at time zone 'UTC')::date
            and on_grid(b.book_ts, 3600000000) = h.hour_ts
    where
        b.coin = h.coin_asked
        and b.book_ts <= h.at_asked
        and b.book_ts >= h.at_asked - h.age_asked
        and stands(b.known_ts, b.since_ts, b.superseded_ts, h.at_asked, h.knowable_asked)
)

select unnest(min_by(n, (n.age_seconds, n.source)))
from asked as q
cross join coin_known as k
left join near as n on q.age_asked > interval 0 seconds and k.is_known
having count(n.age_seconds) > 0
