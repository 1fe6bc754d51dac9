-- The positions of one coin that were held at a moment, as far as is known: of the snapshot that
-- answers, or, where that is a sweep, of each account's newest answer (see states_at).
--
-- grain: account
-- reads: positions, states_at, asset_contexts
-- columns:
--   from positions: account, size, entry_px, mark_px, liquidation_px, liquidation_px_source, leverage,
--       leverage_type, source
--   side          | none | long or short | never | positions.size
--   notional      | USD  | at liquidation_px, where the position closes
--       | it has no liquidation_px | positions.size, positions.liquidation_px
--   mark_notional | USD  | at mark_px | never | positions.size, positions.mark_px
--   snapshot_ts   | none | of the snapshot or sweep that answers | never | snapshots.snapshot_ts
--   state_ts      | none | instant the position was true at the venue | never | positions.snapshot_ts
--   current_px    | USD  | the coin's mark at snapshot_ts, the same in every row
--       | never | positions.mark_px, asset_contexts.mark_px
-- table macro: positions_at(coin, "at", knowable := false, max_age := interval 26 hours, untrusted := false, coin_by := null)
with coin_known as materialized (
    -- What is read is this one: of a coin beyond what a file's statistics hold, DuckDB would plan
    -- to read nothing, and so to check nothing.  Cast, for moments are checked where they are asked.
    select checked_coin(
        coin, coalesce(checked_moment(coin_by, 'coin_by'), try_cast("at" as timestamptz)), knowable
    ) as coin_asked
),

asked as (
    select
        coin as coin_asked,
        checked_moment("at", 'at') as at_asked,
        knowable as knowable_asked
),

states as materialized (
    from states_at(coin, "at", knowable := knowable, max_age := max_age, untrusted := untrusted)
),

-- With what was asked in them, for a join more beside the positions is slow.
moments as (
    select distinct
        k.coin_asked,
        q.at_asked,
        q.knowable_asked,
        s.day,
        s.state_ts,
        s.source,
        s.scope,
        s.sweep_ts,
        s.snapshot_ts,
        s.account is null as of_all
    from states as s
    cross join asked as q
    cross join coin_known as k
),

-- Who has an answer of its own holds what that answer says, and nothing if it names no position.
held as materialized (
    select
        p.account,
        p.snapshot_ts,
        p.source,
        p.size,
        p.entry_px,
        p.mark_px,
        p.liquidation_px,
        p.liquidation_px_source,
        p.leverage,
        p.leverage_type,
        m.sweep_ts,
        m.snapshot_ts as answering_ts
    from positions_versions as p
    inner join moments as m
        on
            p.coin = m.coin_asked
            and p.day = m.day
            and p.snapshot_ts = m.state_ts
            and p.source = m.source
            and p.scope = m.scope
    left join states as s on p.account = s.account
    where
        stands(p.known_ts, p.since_ts, p.superseded_ts, m.at_asked, m.knowable_asked)
        and if(
            s.account is null,
            m.of_all,
            not m.of_all
            and m.state_ts = s.state_ts
            and m.source = s.source
            and m.scope = s.scope
            and m.sweep_ts = s.sweep_ts
        )
),

-- Of a merged map, only what the answering sweep itself saw is of its time.
marked as (
    select
        mark_of(if(h.sweep_ts = h.answering_ts, h.mark_px, null)) as px,
        max_by(h.mark_px, h.snapshot_ts) as last_px
    from held as h
),

answering as (
    select max(s.snapshot_ts) as snapshot_ts
    from states as s
),

days as (
    select
        w.snapshot_ts,
        unnest([
            (w.snapshot_ts at time zone 'UTC')::date,
            (w.snapshot_ts at time zone 'UTC')::date - 1
        ]) as day
    from answering as w
    where w.snapshot_ts is not null
),

-- Where it saw nothing of this coin, the context does that a sweep asks for first; without one, the
-- last mark that any answer names.
context as (
    select c.mark_px as px
    from asset_contexts_versions as c
    inner join days as d on c.day = d.day
    cross join asked as q
    where
        c.coin = q.coin_asked
        and c.venue = 'hyperliquid'
        and c.mark_px is not null
        and c.context_ts <= d.snapshot_ts
        and stands(c.known_ts, c.since_ts, c.superseded_ts, q.at_asked, q.knowable_asked)
    order by c.context_ts desc, c.source
    limit 1
)

select
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
    h.answering_ts as snapshot_ts,
    h.source,
    h.snapshot_ts as state_ts,
    coalesce(m.px, c.px, m.last_px) as current_px
from held as h
cross join marked as m
left join context as c on true
