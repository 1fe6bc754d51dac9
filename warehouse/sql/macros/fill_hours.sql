-- Which hours of fills the lake holds of a coin's dex: what makes "nothing was liquidated" differ
-- from "not known".  By the ledger, not by the rows; the rule is in docs/definitions.md, "Flow and
-- cascades".
--
-- grain: hour_ts
-- reads: parts, asks
-- columns:
--   hour_ts | none | start of a UTC hour that [since, until) touches | never | made here
--   held_to | none | end of what is held from hour_ts on | nothing is | parts.max_ts
--   told_to | none | the same of sources that tell of takeovers and ADL too
--       | nothing of such a source is held | parts.max_ts
-- table macro: fill_hours(coin, since, until, knowable := false)
with asked as (
    select
        dex_of(coin) as dex_asked,
        checked_moment(since, 'since') as since_asked,
        checked_until(since, until) as until_asked,
        knowable as knowable_asked
),

hours as (
    select
        h.hour_ts,
        (h.hour_ts at time zone 'UTC')::date as day,
        date_part('hour', h.hour_ts at time zone 'UTC') as of_day
    from (
        select unnest(generate_series(
            date_trunc('hour', q.since_asked at time zone 'UTC') at time zone 'UTC',
            q.until_asked - interval 1 microsecond,
            interval 1 hour
        )) as hour_ts
        from asked as q
    ) as h
),

days as (
    select distinct h.day
    from hours as h
),

lines as (
    select
        p.day,
        p.source,
        p.max_ts,
        p.source <> 'node_trades' as tells_all,
        -- What a live feed tells is known as it happens, before its part is whole.
        if(
            q.knowable_asked and p.known_ts > q.until_asked, q.until_asked, 'infinity'::timestamptz
        ) as known_to,
        q.dex_asked,
        regexp_extract(
            substr(p.part, length(p.source) + 1),
            '^(?:-([A-Za-z]\w*))?-(?:(\d{8})t)?([01]\d|2[0-3])(-\d{12})?$',
            ['scope', 'day', 'hour', 'tail']
        ) as name
    from parts as p
    inner join days as d on p.day = d.day
    cross join asked as q
    where
        p.table_name = 'fills'
        and stands(
            if(p.known_ts = p.max_ts, least(p.known_ts, q.until_asked), p.known_ts),
            p.since_ts,
            p.superseded_ts,
            q.until_asked,
            q.knowable_asked
        )
),

-- A file of one dex is of a whole day; other files are of an hour.
told as (
    select
        l.*,
        if(l.name.scope = '', l.name.hour::bigint, null) as of_day
    from lines as l
    where
        l.name.hour <> ''
        and l.name.scope in ('', l.dex_asked)
        and l.name.day in ('', strftime(l.day, '%Y%m%d'))
),

failed as (
    select
        a.source,
        a.day,
        a.hour
    from asks as a
    inner join days as d on a.day = d.day
    where a.table_name = 'fills' and a.outcome = 'failed' and a.hour >= 0
),

-- An hour that is read as it grows is held up to its newest fill; the venue has trades every
-- second, so one whose newest is of its last minute is whole.
held as (
    select
        h.hour_ts,
        t.tells_all,
        least(
            t.known_to,
            if(
                t.name.tail <> '' and t.max_ts < h.hour_ts + interval 59 minutes,
                t.max_ts,
                h.hour_ts + interval 1 hour
            )
        ) as held_to
    from hours as h
    inner join told as t on h.day = t.day and h.of_day = coalesce(t.of_day, h.of_day)
    left join failed as f
        on
            h.day = f.day
            and h.of_day = f.hour
            and t.source in (f.source, 'simulated')
    where f.day is null
)

select
    h.hour_ts,
    max(e.held_to) as held_to,
    max(e.held_to) filter (where e.tells_all) as told_to
from hours as h
left join held as e on h.hour_ts = e.hour_ts and e.held_to > h.hour_ts
group by h.hour_ts
order by h.hour_ts
