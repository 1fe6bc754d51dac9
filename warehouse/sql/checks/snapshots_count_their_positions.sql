-- A snapshot holds as many positions, holders and prices of each kind as it says.  The positions
-- of a sweep have their account's own time, and its answers in accounts say which sweep it was.
--
-- check: stop
-- table: snapshots
-- reads: snapshots, positions, accounts
with said as (
    select *
    from snapshots_versions
    where
        superseded_ts is null
        and day >= getvariable('since')
        and day < getvariable('until')
),

held as (
    select *
    from positions_versions
    where
        superseded_ts is null
        and day >= getvariable('since') - 1
        and day < getvariable('until')
),

asked as (
    select *
    from accounts_versions
    where
        superseded_ts is null
        and sweep_ts is not null
        and day >= getvariable('since') - 1
        and day < getvariable('until')
),

holders as (
    select
        snapshot_ts,
        source,
        scope,
        account,
        count(*) as positions,
        count_if(liquidation_px_source = 'venue') as px_venue,
        count_if(liquidation_px_source = 'computed') as px_computed
    from held
    group by snapshot_ts, source, scope, account
),

placed as (
    select
        h.* exclude (snapshot_ts),
        coalesce(a.sweep_ts, h.snapshot_ts) as snapshot_ts
    from holders as h
    left join asked as a
        on
            h.snapshot_ts = a.state_ts
            and h.source = a.source
            and h.scope = a.scope
            and h.account = a.account
),

counted as (
    select
        snapshot_ts,
        source,
        scope,
        count(*) as accounts,
        sum(positions)::bigint as positions,
        sum(px_venue)::bigint as px_venue,
        sum(px_computed)::bigint as px_computed
    from placed
    group by snapshot_ts, source, scope
)

select
    s.snapshot_ts as start_ts,
    null::timestamptz as end_ts,
    s.source,
    'all' as subject,
    s.scope || ' says ' || s.positions || ' positions of ' || s.accounts || ' accounts, '
    || s.px_venue || ' priced by the venue and ' || s.px_computed || ' by us; there are '
    || coalesce(c.positions, 0) || ' of ' || coalesce(c.accounts, 0) || ', '
    || coalesce(c.px_venue, 0) || ' and ' || coalesce(c.px_computed, 0) as what,
    1::bigint as rows,
    s.known_ts
from said as s
left join counted as c
    on
        s.snapshot_ts = c.snapshot_ts
        and s.source = c.source
        and s.scope = c.scope
where
    s.positions <> coalesce(c.positions, 0)
    or s.accounts <> coalesce(c.accounts, 0)
    or s.px_venue <> coalesce(c.px_venue, 0)
    or s.px_computed <> coalesce(c.px_computed, 0)
    or s.positions <> s.px_venue + s.px_computed + s.px_never + s.px_unknown
