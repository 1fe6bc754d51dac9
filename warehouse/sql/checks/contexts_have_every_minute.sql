-- A source that gives a reading a minute gives every minute: of a coin between its first and its
-- last.  Such a source is one whose readings of a day are mostly a minute apart; a hole of more
-- than a day is a missing file, which `undertow gaps` lists.  Only coins that have too few readings
-- on a day are looked at minute by minute.
--
-- check: warn
-- table: asset_contexts
-- reads: asset_contexts
with readings as (
    select
        venue,
        source,
        coin,
        day,
        context_ts,
        known_ts
    from asset_contexts_versions
    where
        superseded_ts is null
        and day >= getvariable('since') - 1
        and day <= getvariable('until')
),

instants as (
    select
        venue,
        source,
        day,
        context_ts,
        count(*) as coins
    from readings
    group by venue, source, day, context_ts
),

steps as (
    select
        venue,
        source,
        day,
        lead(context_ts) over (partition by venue, source order by context_ts)
        - context_ts as step
    from instants
),

minutely as (
    select
        venue,
        source,
        day
    from steps
    group by venue, source, day
    having median(step) between interval 59 seconds and interval 61 seconds
),

days as (
    select
        venue,
        source,
        coin,
        day,
        count(*) as held,
        min(context_ts) as first_ts,
        max(context_ts) as last_ts
    from readings
    group by venue, source, coin, day
),

thin as (
    select
        venue,
        source,
        coin,
        day
    from days
    semi join minutely using (venue, source, day)
    qualify
        held <= date_diff('minute', first_ts, last_ts)
        or lead(first_ts) over (partition by venue, source, coin order by day)
        > last_ts + interval 90 seconds
),

looked_at as (
    select distinct
        venue,
        source,
        coin,
        unnest([day, day + 1]) as day
    from thin
),

followed as (
    select
        venue,
        source,
        coin,
        day,
        context_ts,
        lead(context_ts) over series as next_ts,
        lead(known_ts) over series as known_ts
    from readings
    semi join looked_at using (venue, source, coin, day)
    window series as (partition by venue, source, coin order by context_ts)
),

holes as (
    select
        *,
        context_ts + interval 1 minute as hole_ts,
        count(*) over (partition by venue, source, context_ts) as holed
    from followed
    semi join thin using (venue, source, coin, day)
    where
        next_ts > context_ts + interval 90 seconds
        and next_ts <= context_ts + interval 1 day
)

select
    h.hole_ts as start_ts,
    max(h.next_ts) as end_ts,
    h.source,
    if(h.holed = i.coins, 'all', h.coin) as subject,
    'no reading for ' || max(h.next_ts) - h.hole_ts || ' on ' || h.venue as what,
    sum(date_diff('minute', h.hole_ts, h.next_ts))::bigint as rows,
    max(h.known_ts) as known_ts
from holes as h
inner join instants as i
    on
        h.venue = i.venue
        and h.source = i.source
        and h.context_ts = i.context_ts
where
    h.hole_ts::date >= getvariable('since')
    and h.hole_ts::date < getvariable('until')
group by h.venue, h.hole_ts, h.source, if(h.holed = i.coins, 'all', h.coin)
