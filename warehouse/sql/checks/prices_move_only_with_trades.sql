-- A mark that moves by more than 3 % within 10 minutes does so while the coin is traded.  No trade
-- is: the venue's volume of the last 24 hours stays the same, and the lake holds no fill between.
-- Only coins whose mark moves that far within a day, or over its end, are looked at reading by
-- reading.
--
-- check: warn
-- table: asset_contexts
-- reads: asset_contexts, fills
with readings as (
    select
        venue,
        source,
        coin,
        day,
        context_ts,
        mark_px,
        day_notional_volume as volume,
        known_ts
    from asset_contexts_versions
    where
        superseded_ts is null
        and mark_px is not null
        and day >= getvariable('since')
        and day <= getvariable('until')
),

days as (
    select
        venue,
        source,
        coin,
        day,
        min(mark_px) as low_px,
        max(mark_px) as high_px
    from readings
    group by venue, source, coin, day
),

moving as (
    select
        venue,
        source,
        coin,
        day
    from days
    window series as (partition by venue, source, coin order by day)
    qualify
        greatest(high_px, coalesce(lead(high_px) over series, 0))
        > 1.03 * least(low_px, coalesce(lead(low_px) over series, low_px))
),

looked_at as (
    select distinct
        venue,
        source,
        coin,
        unnest([day, day + 1]) as day
    from moving
),

followed as (
    select
        *,
        lead(context_ts) over series as next_ts,
        lead(mark_px) over series as next_px,
        lead(volume) over series as next_volume,
        lead(known_ts) over series as next_known_ts
    from readings
    semi join looked_at using (venue, source, coin, day)
    window series as (partition by venue, source, coin order by context_ts)
),

moved as (
    select *
    from followed
    where
        day < getvariable('until')
        and next_ts <= context_ts + interval 10 minutes
        and abs(next_px / mark_px - 1) > 0.03
        and next_volume = volume
)

select
    m.context_ts as start_ts,
    m.next_ts as end_ts,
    m.source,
    m.coin as subject,
    'mark from ' || m.mark_px || ' to ' || m.next_px || ' USD without a trade' as what,
    2::bigint as rows,
    m.next_known_ts as known_ts
from moved as m
anti join fills_versions as f
    on
        m.coin = f.coin
        and m.venue = 'hyperliquid'
        and f.superseded_ts is null
        and f.day >= getvariable('since')
        and f.day <= getvariable('until')
        and f.time_ts >= m.context_ts
        and f.time_ts < m.next_ts
