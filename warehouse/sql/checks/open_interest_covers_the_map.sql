-- The longs of a complete snapshot are no more than the open interest that the venue gave at most
-- 10 minutes before.  Up to 1 % is let pass: the two are not of one instant.
--
-- check: warn
-- table: positions
-- reads: positions, snapshots, asset_contexts
with complete as (
    select
        snapshot_ts,
        source,
        scope
    from snapshots_versions
    where
        superseded_ts is null
        and complete
        and day >= getvariable('since')
        and day < getvariable('until')
),

mapped as (
    select
        p.snapshot_ts,
        p.source,
        p.coin,
        sum(p.size) as size,
        count(*) as rows,
        max(p.known_ts) as known_ts
    from positions_versions as p
    semi join complete as c
        on
            p.snapshot_ts = c.snapshot_ts
            and p.source = c.source
            and p.scope = c.scope
    where
        p.superseded_ts is null
        and p.size > 0
        and p.day >= getvariable('since')
        and p.day < getvariable('until')
    group by p.snapshot_ts, p.source, p.scope, p.coin
),

minutes as (
    select distinct date_trunc('minute', snapshot_ts) - to_minutes(unnest(range(11))) as minute_ts
    from complete
),

readings as (
    select
        coin,
        context_ts,
        open_interest
    from asset_contexts_versions as c
    semi join minutes as m on date_trunc('minute', c.context_ts) = m.minute_ts
    where
        superseded_ts is null
        and venue = 'hyperliquid'
        and open_interest is not null
        and day >= getvariable('since') - 1
        and day < getvariable('until')
),

given as (
    select
        m.*,
        arg_max(r.open_interest, r.context_ts) as open_interest
    from mapped as m
    inner join readings as r
        on
            m.coin = r.coin
            and m.snapshot_ts >= r.context_ts
            and r.context_ts >= m.snapshot_ts - interval 10 minutes
    group by all
)

select
    snapshot_ts as start_ts,
    null::timestamptz as end_ts,
    source,
    coin as subject,
    'longs hold ' || size || ', the open interest is ' || open_interest as what,
    rows,
    known_ts
from given
where size > 1.01 * open_interest
