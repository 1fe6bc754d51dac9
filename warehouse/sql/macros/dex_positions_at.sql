-- The positions in every coin of a coin's dex at a moment, as far as is known (see states_at and
-- positions_at): accounts with all that stands behind one collateral.
--
-- grain: account, coin
-- reads: positions, states_at, asset_contexts
-- columns:
--   from positions: account, coin, size, mark_px, liquidation_px, liquidation_px_source, leverage_type,
--       max_leverage, margin_used, account_value, account_mode, source, known_ts
--   as positions_at: side, snapshot_ts, state_ts
--   current_px | USD | the coin's mark at snapshot_ts, the same in every row of a coin
--       | never | positions.mark_px, asset_contexts.mark_px
-- table macro: dex_positions_at(coin, "at", knowable := false, max_age := interval 26 hours, untrusted := false)
with asked as (
    select
        dex_of(coin) as dex_asked,
        checked_moment("at", 'at') as at_asked,
        knowable as knowable_asked
    where coin != ''
),

states as materialized (
    from states_at(coin, "at", knowable := knowable, max_age := max_age, untrusted := untrusted)
),

moments as (
    select distinct
        day,
        state_ts,
        source,
        scope,
        sweep_ts,
        snapshot_ts,
        account is null as of_all
    from states
),

held as materialized (
    select
        p.*,
        m.sweep_ts,
        m.snapshot_ts as answering_ts
    from positions_versions as p
    cross join asked as q
    inner join moments as m
        on
            p.day = m.day
            and p.snapshot_ts = m.state_ts
            and p.source = m.source
            and p.scope = m.scope
    left join states as s on p.account = s.account
    where
        dex_of(p.coin) = q.dex_asked
        and stands(p.known_ts, p.since_ts, p.superseded_ts, q.at_asked, q.knowable_asked)
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
        max_by(h.mark_px, h.snapshot_ts) as last_px
    from held as h
    group by h.coin
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

context as (
    select
        c.coin,
        c.mark_px as px
    from asset_contexts_versions as c
    inner join days as d on c.day = d.day
    cross join asked as q
    where
        c.venue = 'hyperliquid'
        and c.mark_px is not null
        and c.context_ts <= d.snapshot_ts
        and c.coin in (select m.coin from marked as m where m.px is null)
        and stands(c.known_ts, c.since_ts, c.superseded_ts, q.at_asked, q.knowable_asked)
    qualify row_number() over (
        partition by c.coin
        order by c.context_ts desc, c.source
    ) = 1
)

select
    h.account,
    h.coin,
    if(h.size > 0, 'long', 'short') as side,
    h.size,
    h.mark_px,
    h.liquidation_px,
    h.liquidation_px_source,
    h.leverage_type,
    h.max_leverage,
    h.margin_used,
    h.account_value,
    h.account_mode,
    h.answering_ts as snapshot_ts,
    h.source,
    h.snapshot_ts as state_ts,
    h.known_ts,
    coalesce(m.px, c.px, m.last_px) as current_px
from held as h
inner join marked as m on h.coin = m.coin
left join context as c on h.coin = c.coin
