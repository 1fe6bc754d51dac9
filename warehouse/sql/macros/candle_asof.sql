-- The newest bar of a coin that had closed at or before a moment, at most max_age before it; no row
-- beyond that.  A bar that is still open never answers.  Joins with any answer, as context_asof does.
--
-- grain: at most one row
-- reads: candles
-- columns:
--   from candles: start_ts, open_px, high_px, low_px, close_px, volume, source
--   close_ts    | none    | end of the bar | never | made here
--   age_seconds | seconds | from close_ts to the moment asked for | never | made here
-- table macro: candle_asof(coin, "at", interval_ := '1h', venue := 'hyperliquid', max_age := null, knowable := false, coin_by := null)
with asked as (
    select
        coin as coin_asked,
        checked_moment("at", 'at') as at_asked,
        interval_ as word_asked,
        bar_length(interval_) as length_asked,
        checked_age(coalesce(max_age::varchar, bar_length(interval_)::varchar)) as age_asked,
        venue as venue_asked,
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
            on_grid(q.at_asked - q.age_asked - q.length_asked, 3600000000),
            q.at_asked - q.length_asked,
            interval 1 hour
        )) as hour_ts
    from asked as q
),

near as (
    select
        c.start_ts,
        c.start_ts + h.length_asked as close_ts,
        c.open_px,
        c.high_px,
        c.low_px,
        c.close_px,
        c.volume,
        c.source,
        (epoch_us(h.at_asked) - epoch_us(c.start_ts + h.length_asked)) / 1000000 as age_seconds
    from candles_versions as c
    inner join hours as h
        on
            c.day = (h.hour_ts at time zone 'UTC')::date
            and on_grid(c.start_ts, 3600000000) = h.hour_ts
    where
        c.coin = h.coin_asked
        and c.venue = h.venue_asked
        and c."interval" = h.word_asked
        and c.start_ts + h.length_asked <= h.at_asked
        and c.start_ts + h.length_asked >= h.at_asked - h.age_asked
        and stands(c.known_ts, c.since_ts, c.superseded_ts, h.at_asked, h.knowable_asked)
)

select unnest(min_by(n, (n.age_seconds, n.source)))
from asked as q
cross join coin_known as k
left join near as n on q.age_asked > interval 0 seconds and k.is_known
having count(n.age_seconds) > 0
