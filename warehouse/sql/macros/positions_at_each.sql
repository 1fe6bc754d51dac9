-- The positions of one coin at each of several moments: what positions_at says of each, with the
-- files of complete snapshots read once for all of them.
--
-- grain: ts, account
-- reads: snapshot_at, positions, positions_at
-- columns:
--   ts | none | moment asked for | never | argument moments
--   as positions_at: account, side, size, entry_px, mark_px, liquidation_px, liquidation_px_source,
--       notional, mark_notional, leverage, leverage_type, snapshot_ts, source, state_ts, current_px
-- table macro: positions_at_each(coin, moments, knowable := false, max_age := interval 26 hours, untrusted := false, coin_by := null)
with each_asked as (
    select
        knowable as knowable_asked,
        unnest(list_distinct(list_transform(moments, lambda one: checked_moment(one, 'moments')))) as ts
),

-- Known by the last of them: the coin may be newer than the first.
each_known as materialized (
    select
        b.by_ts,
        checked_coin(coin, b.by_ts, knowable) as coin_asked
    from (
        select coalesce(
            checked_moment(coin_by, 'coin_by'),
            list_max(list_transform(moments, lambda one: checked_moment(one, 'moments')))
        ) as by_ts
    ) as b
),

each_answering as materialized (
    select
        k.coin_asked,
        q.knowable_asked,
        q.ts,
        a.day,
        a.snapshot_ts,
        a.source,
        a.scope,
        a.complete
    from each_asked as q
    cross join lateral (
        from snapshot_at(coin, q.ts, knowable := knowable, untrusted := untrusted)
    ) as a
    cross join each_known as k
),

-- A snapshot that answers several moments is read once.
each_snapshot as (
    select distinct
        coin_asked,
        day,
        snapshot_ts,
        source,
        scope
    from each_answering
    where complete
),

each_held as (
    select
        p.*,
        s.coin_asked
    from positions_versions as p
    inner join each_snapshot as s
        on
            p.coin = s.coin_asked
            and p.day = s.day
            and p.snapshot_ts = s.snapshot_ts
            and p.source = s.source
            and p.scope = s.scope
),

each_told as (
    select
        a.ts,
        h.account,
        if(h.size > 0, 'long', 'short') as side,
        h.size,
        h.entry_px,
        h.mark_px,
        h.liquidation_px,
        h.liquidation_px_source,
        abs(h.size) * h.liquidation_px as notional,
        abs(h.size) * h.mark_px as mark_notional,
        h.leverage,
        h.leverage_type,
        a.snapshot_ts,
        h.source,
        h.snapshot_ts as state_ts
    from each_answering as a
    inner join each_held as h
        on
            a.day = h.day
            and a.snapshot_ts = h.snapshot_ts
            and a.source = h.source
            and a.scope = h.scope
    where
        a.complete
        and stands(h.known_ts, h.since_ts, h.superseded_ts, a.ts, a.knowable_asked)
),

-- Apart, for a window over all rows is slow.
each_mark as (
    select
        t.ts,
        mark_of(t.mark_px) as px
    from each_told as t
    group by t.ts
)

select
    t.*,
    m.px as current_px
from each_told as t
inner join each_mark as m on t.ts = m.ts
union all
select
    a.ts,
    p.account,
    p.side,
    p.size,
    p.entry_px,
    p.mark_px,
    p.liquidation_px,
    p.liquidation_px_source,
    p.notional,
    p.mark_notional,
    p.leverage,
    p.leverage_type,
    p.snapshot_ts,
    p.source,
    p.state_ts,
    p.current_px
from each_answering as a
cross join lateral (
    from positions_at(
        coin,
        if(a.complete, null, a.ts),
        knowable := knowable,
        max_age := max_age,
        untrusted := untrusted,
        coin_by := (select k.by_ts from each_known as k)
    )
) as p
