-- The positions of every coin that were held at a moment: what positions_at says of each coin, at
-- once.  Each dex is answered by its own newest snapshot or sweep (see states_at).
--
-- grain: coin, account
-- reads: positions, states_at, accounts, snapshots, asset_contexts
-- columns:
--   from positions: coin, account, size, entry_px, mark_px, liquidation_px, liquidation_px_source,
--       leverage, leverage_type, source
--   as positions_at: side, notional, mark_notional, snapshot_ts, state_ts, current_px
--   dex           | none | whose snapshots or sweeps answer; empty: of a dex without its own, those of
--         every dex
--       | never | snapshots.scope
--   account_value | USD  | collateral on this dex as reported; of unified and portfolio_margin accounts
--         in a sweep the USDC in spot, for there it lies
--       | not known | positions.account_value, accounts.spot_usdc
--   account_mode  | none | standard, dex_abstraction, unified or portfolio_margin
--       | not given | accounts.account_mode, positions.account_mode
-- table macro: all_positions_at("at", knowable := false, max_age := interval 26 hours, untrusted := false)
with asked as (
    select
        checked_moment("at", 'at') as at_asked,
        knowable as knowable_asked,
        max_age as age_asked,
        untrusted as untrusted_asked
),

-- What has no snapshots of its own is read from those of every dex: '' stands for it.
dexes as (
    select '' as dex
    union
    select 'hyperliquid' as dex
    union
    select s.scope as dex
    from snapshots_versions as s
    cross join asked as q
    where
        s.scope <> 'all'
        and s.snapshot_ts <= q.at_asked
        and stands(s.known_ts, s.since_ts, s.superseded_ts, q.at_asked, q.knowable_asked)
),

states as materialized (
    select
        d.dex,
        s.*
    from dexes as d
    cross join asked as q
    cross join lateral (
        from states_at(
            d.dex || ':',
            q.at_asked,
            knowable := q.knowable_asked,
            max_age := q.age_asked,
            untrusted := q.untrusted_asked
        )
    ) as s
),

moments as (
    select distinct
        s.dex,
        s.day,
        s.state_ts,
        s.source,
        s.scope,
        s.sweep_ts,
        s.snapshot_ts,
        s.account is null as of_all,
        n.dexes,
        q.at_asked,
        q.knowable_asked
    from states as s
    cross join (select list(d.dex) as dexes from dexes as d) as n
    cross join asked as q
),

held as materialized (
    select
        p.coin,
        m.dex,
        p.account,
        p.snapshot_ts,
        p.source,
        p.scope,
        p.day,
        p.size,
        p.entry_px,
        p.mark_px,
        p.liquidation_px,
        p.liquidation_px_source,
        p.leverage,
        p.leverage_type,
        p.account_value,
        p.account_mode,
        m.of_all,
        m.sweep_ts,
        m.snapshot_ts as answering_ts
    from positions_versions as p
    inner join moments as m
        on
            p.day = m.day
            and p.snapshot_ts = m.state_ts
            and p.source = m.source
            and p.scope = m.scope
    left join states as s
        on
            p.account = s.account
            and m.dex = s.dex
    where
        stands(p.known_ts, p.since_ts, p.superseded_ts, m.at_asked, m.knowable_asked)
        -- Not as a key of the join: it would be worked out for every row of the day.
        and coalesce(
            m.dex = if(list_contains(m.dexes, dex_of(p.coin)), dex_of(p.coin), ''),
            false
        )
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

marked as (
    select
        h.coin,
        mark_of(if(h.sweep_ts = h.answering_ts, h.mark_px, null)) as px,
        max_by(h.mark_px, h.snapshot_ts) as last_px,
        any_value(h.answering_ts) as answering_ts
    from held as h
    group by h.coin
),

unmarked as (
    select
        m.coin,
        m.answering_ts,
        unnest([
            (m.answering_ts at time zone 'UTC')::date,
            (m.answering_ts at time zone 'UTC')::date - 1
        ]) as day
    from marked as m
    where m.px is null
),

context as (
    select
        c.coin,
        c.mark_px as px
    from asset_contexts_versions as c
    inner join unmarked as u
        on
            c.day = u.day
            and c.coin = u.coin
    cross join asked as q
    where
        c.venue = 'hyperliquid'
        and c.mark_px is not null
        and c.context_ts <= u.answering_ts
        and stands(c.known_ts, c.since_ts, c.superseded_ts, q.at_asked, q.knowable_asked)
    qualify row_number() over (partition by c.coin order by c.context_ts desc, c.source) = 1
),

said as (
    select
        c.day,
        c.account,
        c.state_ts,
        c.source,
        c.scope,
        c.account_mode,
        c.spot_usdc
    from accounts_versions as c
    inner join (select distinct m.day from moments as m where not m.of_all) as d on c.day = d.day
    cross join asked as q
    where stands(c.known_ts, c.since_ts, c.superseded_ts, q.at_asked, q.knowable_asked)
)

select
    h.coin,
    h.dex,
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
    if(
        coalesce(a.account_mode, h.account_mode) in ('unified', 'portfolio_margin') and not h.of_all,
        a.spot_usdc,
        h.account_value
    ) as account_value,
    coalesce(a.account_mode, h.account_mode) as account_mode,
    h.answering_ts as snapshot_ts,
    h.source,
    h.snapshot_ts as state_ts,
    coalesce(m.px, c.px, m.last_px) as current_px
from held as h
inner join marked as m on h.coin = m.coin
left join context as c on h.coin = c.coin
left join said as a
    on
        h.day = a.day
        and h.account = a.account
        and h.snapshot_ts = a.state_ts
        and h.source = a.source
        and h.scope = a.scope
