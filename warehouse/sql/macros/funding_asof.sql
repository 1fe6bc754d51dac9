-- The newest funding payment of a coin, at or before a moment and at most max_age before it; no row
-- beyond that.  Joins with any answer, as context_asof does.
--
-- grain: at most one row
-- reads: funding
-- columns:
--   from funding: time_ts, rate, period_hours, source
--   hourly_rate | fraction per hour | rate over period_hours
--       | period_hours is not given | funding.rate, funding.period_hours
--   age_seconds | seconds           | from time_ts to the moment asked for | never | made here
-- table macro: funding_asof(coin, "at", max_age := interval 9 hours, venue := 'hyperliquid', knowable := false, coin_by := null)
with asked as (
    select
        coin as coin_asked,
        checked_moment("at", 'at') as at_asked,
        checked_age(max_age) as age_asked,
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
            on_grid(q.at_asked - q.age_asked, 3600000000), q.at_asked, interval 1 hour
        )) as hour_ts
    from asked as q
),

near as (
    select
        f.time_ts,
        f.rate,
        f.period_hours,
        f.rate / f.period_hours as hourly_rate,
        f.source,
        (epoch_us(h.at_asked) - epoch_us(f.time_ts)) / 1000000 as age_seconds
    from funding_versions as f
    inner join hours as h
        on
            f.day = (h.hour_ts at time zone 'UTC')::date
            and on_grid(f.time_ts, 3600000000) = h.hour_ts
    where
        f.coin = h.coin_asked
        and f.venue = h.venue_asked
        and f.time_ts <= h.at_asked
        and f.time_ts >= h.at_asked - h.age_asked
        and stands(f.known_ts, f.since_ts, f.superseded_ts, h.at_asked, h.knowable_asked)
)

select unnest(min_by(n, (n.age_seconds, n.source)))
from asked as q
cross join coin_known as k
left join near as n on q.age_asked > interval 0 seconds and k.is_known
having count(n.age_seconds) > 0
