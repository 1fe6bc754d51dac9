-- What the venue said of a coin last, at or before a moment and at most max_age before it; no row
-- beyond that.  A source that tells open interest alone answers where no other did in that time: at full
-- hours it would hide the mark of the minute before.  Joins with any answer:
-- from liquidation_flow(…) as f, context_asof('BTC', f.until_ts).
--
-- grain: at most one row
-- reads: asset_contexts
-- columns:
--   from asset_contexts: context_ts, mark_px, oracle_px, mid_px, open_interest, funding_rate, premium,
--       day_notional_volume, source
--   open_interest_notional | USD     | one-sided, at mark_px
--       | not given | asset_contexts.open_interest, asset_contexts.mark_px,
--         asset_contexts.open_interest_notional
--   age_seconds            | seconds | from context_ts to the moment asked for | never | made here
-- table macro: context_asof(coin, "at", max_age := interval 2 hours, venue := 'hyperliquid', knowable := false, coin_by := null)
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

-- Joined by the hour: of each moment of a lateral join, few rows are looked at.
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
        c.context_ts,
        c.mark_px,
        c.oracle_px,
        c.mid_px,
        c.open_interest,
        coalesce(c.open_interest * c.mark_px, c.open_interest_notional) as open_interest_notional,
        c.funding_rate,
        c.premium,
        c.day_notional_volume,
        c.source,
        (epoch_us(h.at_asked) - epoch_us(c.context_ts)) / 1000000 as age_seconds
    from asset_contexts_versions as c
    inner join hours as h
        on
            c.day = (h.hour_ts at time zone 'UTC')::date
            and on_grid(c.context_ts, 3600000000) = h.hour_ts
    where
        c.coin = h.coin_asked
        and c.venue = h.venue_asked
        and c.context_ts <= h.at_asked
        and c.context_ts >= h.at_asked - h.age_asked
        and stands(c.known_ts, c.since_ts, c.superseded_ts, h.at_asked, h.knowable_asked)
)

select unnest(min_by(n, (n.mark_px is null, n.age_seconds, n.source)))
from asked as q
cross join coin_known as k
left join near as n on q.age_asked > interval 0 seconds and k.is_known
having count(n.age_seconds) > 0
