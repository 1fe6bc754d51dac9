-- What became of each position of a coin between two maps: as it was on the earlier, as it is on the
-- later, and when each was asked for.  map_changes and mass_decay are summed from it.
--
-- grain: account, side
-- reads: positions_at, states_at, snapshot_at
-- columns:
--   from positions_at: account, side
--   from_size        | coin | held on the earlier map, not signed; 0: nothing on that side
--       | never | positions.size
--   from_px          | USD  | liquidation price on the earlier map
--       | it has none, or nothing was held | positions.liquidation_px
--   to_size          | coin | held on the later map, not signed; 0: nothing on that side
--       | never | positions.size
--   to_px            | USD  | liquidation price on the later map
--       | it has none, or nothing is held | positions.liquidation_px
--   from_state_ts    | none | instant of what the earlier map says of the account
--       | it knows nothing of the account | states_at.state_ts
--   to_state_ts      | none | instant of what the later map says of it; the same: nobody asked again
--       | it knows nothing of the account | states_at.state_ts
--   from_snapshot_ts | none | of what answers for the earlier map | never | snapshots.snapshot_ts
--   to_snapshot_ts   | none | of what answers for the later map | never | snapshots.snapshot_ts
-- table macro: map_moves(coin, from_at, to_at, knowable := false, max_age := interval 26 hours, untrusted := false, coin_by := null)
with answering as (
    select
        f.snapshot_ts as from_snapshot_ts,
        t.snapshot_ts as to_snapshot_ts
    from snapshot_at(coin, from_at, knowable := knowable, untrusted := untrusted) as f
    cross join snapshot_at(coin, checked_later(from_at, to_at, 'to_at'), knowable := knowable, untrusted := untrusted) as t
),

from_states as materialized (
    from states_at(coin, from_at, knowable := knowable, max_age := max_age, untrusted := untrusted)
),

to_states as materialized (
    from states_at(coin, to_at, knowable := knowable, max_age := max_age, untrusted := untrusted)
),

from_base as (
    select max(s.state_ts) as state_ts
    from from_states as s
    where s.account is null
),

to_base as (
    select max(s.state_ts) as state_ts
    from to_states as s
    where s.account is null
),

held as (
    select
        f.account,
        f.side,
        abs(f.size) as from_size,
        f.liquidation_px as from_px,
        0.0::double as to_size,
        null::double as to_px
    from positions_at(coin, from_at, knowable := knowable, max_age := max_age, untrusted := untrusted, coin_by := coalesce(checked_moment(coin_by, 'coin_by'), try_cast(to_at as timestamptz))) as f
    union all
    select
        t.account,
        t.side,
        0.0::double as from_size,
        null::double as from_px,
        abs(t.size) as to_size,
        t.liquidation_px as to_px
    from positions_at(coin, to_at, knowable := knowable, max_age := max_age, untrusted := untrusted, coin_by := coin_by) as t
),

paired as (
    select
        h.account,
        h.side,
        max(h.from_size) as from_size,
        max(h.from_px) as from_px,
        max(h.to_size) as to_size,
        max(h.to_px) as to_px
    from held as h
    group by h.account, h.side
)

select
    p.account,
    p.side,
    p.from_size,
    p.from_px,
    p.to_size,
    p.to_px,
    coalesce(f.state_ts, b.state_ts) as from_state_ts,
    coalesce(t.state_ts, e.state_ts) as to_state_ts,
    a.from_snapshot_ts,
    a.to_snapshot_ts
from paired as p
cross join answering as a
cross join from_base as b
cross join to_base as e
left join from_states as f on p.account = f.account
left join to_states as t on p.account = t.account
