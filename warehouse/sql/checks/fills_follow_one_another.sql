-- Where a source tells every fill, the position before a fill is the position after the one
-- before it.  The order of fills within a millisecond is not told, so none is used: over a day
-- the positions before and those after an account's fills in a coin are the same values, but for
-- the first before and the last after.  Each further value that is only before is a break: a
-- fill that the source did not tell.  Spot is left out, its balances change without fills.
--
-- check: warn
-- table: fills
-- reads: fills
with told as (
    select
        day,
        source,
        coin,
        account,
        time_ts,
        known_ts,
        -- The finest size of a perp has 5 decimals; adding 0 makes one of both zeros.
        round(start_position, 6) + 0 as before,
        round(start_position + if(is_buy, size, -size), 6) + 0 as after
    from fills_versions
    where
        superseded_ts is null
        and day >= getvariable('since')
        and day < getvariable('until')
        and source in (
            'node_fills_by_block',
            'node_trades',
            'node_fills',
            'own_node',
            'reservoir_fills',
            'simulated'
        )
        and coin not like '@%'
        and coin not like '#%'
        and coin not like '%/%'
),

ends as (
    select * exclude (before, after), before as position, 1 as surplus
    from told
    union all by name
    select * exclude (before, after), after as position, -1 as surplus
    from told
),

positions as (
    select
        day,
        source,
        coin,
        account,
        position,
        sum(surplus) as surplus,
        min(time_ts) as start_ts,
        max(time_ts) as last_ts,
        max(known_ts) as known_ts
    from ends
    group by day, source, coin, account, position
    having sum(surplus) <> 0
),

chains as (
    select
        day,
        source,
        coin,
        account,
        sum(greatest(surplus, 0))::bigint - 1 as breaks,
        min(start_ts) as start_ts,
        max(last_ts) as last_ts,
        max(known_ts) as known_ts
    from positions
    group by day, source, coin, account
    having sum(greatest(surplus, 0)) > 1
)

select
    min(start_ts) as start_ts,
    max(last_ts) + interval 1 microsecond as end_ts,
    source,
    coin as subject,
    count(*) || ' accounts lack fills between others, ' || arg_max(account, breaks)
    || ' in ' || max(breaks) || ' places' as what,
    sum(breaks)::bigint as rows,
    max(known_ts) as known_ts
from chains
group by day, source, coin
