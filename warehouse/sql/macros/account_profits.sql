-- What each account is known to have realised up to a moment: the closed_pnl of its perpetual fills in
-- this lake, as the venue reports it.  Not since the account began: since first_fill_ts, the first
-- fill that the lake holds of it.  Funding is not in it; see docs/definitions.md, Segments.
--
-- grain: account
-- reads: fills
-- columns:
--   from fills: account
--   profit        | USD   | sum of closed_pnl | a fill does not give it | fills.closed_pnl
--   fills         | fills | perpetual fills held, whose profit is summed | never | made here
--   first_fill_ts | none  | time of the first of them | never | fills.time_ts
-- table macro: account_profits("at", knowable := false, wanted := true)
with asked as (
    select
        checked_moment("at", 'at') as at_asked,
        knowable as knowable_asked,
        wanted as wanted_asked
),

-- The venue's first public fills are of 2023.  Where profits are not wanted there is no day, and no
-- file is opened.
days as (
    select
        q.knowable_asked,
        q.at_asked,
        unnest(if(
            q.wanted_asked,
            generate_series(timestamp '2023-01-01', date_trunc('day', q.at_asked at time zone 'UTC'), interval 1 day),
            []
        ))::date as day
    from asked as q
),

told as (
    select
        f.account,
        f.coin,
        f.time_ts,
        f.closed_pnl
    from fills as f
    inner join (select d.* from days as d where not d.knowable_asked) as d on f.day = d.day
    where f.time_ts <= d.at_asked
    union all
    -- Of versions, what several sources tell counts once here, as the view fills sees to it above.
    select
        k.account,
        k.coin,
        k.time_ts,
        k.closed_pnl
    from (
        select
            f.account,
            f.coin,
            f.time_ts,
            f.closed_pnl,
            f.known_ts,
            f.source,
            f.is_buy,
            f.order_id,
            f.px,
            f.size,
            f.day,
            row_number() over (
                partition by f.day, date_trunc('millisecond', f.time_ts), f.coin, f.account, f.is_buy,
                f.order_id, f.px, f.size, f.source
                order by f.time_ts, f.trade_id
            ) as nth
        from fills_versions as f
        inner join (select d.* from days as d where d.knowable_asked) as d on f.day = d.day
        where
            f.time_ts <= d.at_asked
            and stands(f.known_ts, f.since_ts, f.superseded_ts, d.at_asked, true)
    ) as k
    qualify row_number() over (
        partition by k.day, date_trunc('millisecond', k.time_ts), k.coin, k.account, k.is_buy,
        k.order_id, k.px, k.size, k.nth
        order by k.known_ts, k.source
    ) = 1
)

select
    t.account,
    if(count(*) = count(t.closed_pnl), sum(t.closed_pnl), null) as profit,
    count(*) as fills,
    min(t.time_ts) as first_fill_ts
from told as t
where
    not starts_with(t.coin, '@')
    and not starts_with(t.coin, '#')
    and not contains(t.coin, '/')
group by t.account
