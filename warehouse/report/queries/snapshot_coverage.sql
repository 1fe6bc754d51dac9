-- How much of the venue the answering snapshot has seen of one coin.
--
-- grain: one row where a snapshot answers, none otherwise
-- reads: snapshot_at, positions_at, snapshots, asset_contexts
-- units: notional and open_interest are USD at mark; open_interest is one-sided, so longs and
--        shorts are each held against the whole of it; null: unknown
with answering as (
    select *
    from snapshot_at($coin, $at)
),

held as (
    select
        sum(p.mark_notional) filter (where p.side = 'long') as long_seen,
        sum(p.mark_notional) filter (where p.side = 'short') as short_seen,
        sum(p.mark_notional) filter (where p.liquidation_px is not null) as both_priced,
        sum(p.mark_notional) as both_seen,
        count(*) as coin_positions,
        count(*) filter (where p.liquidation_px is null) as coin_unpriced
    from positions_at($coin, $at) as p
),

venue as (
    select
        coalesce(c.open_interest_notional, c.open_interest * c.mark_px) as open_interest,
        c.context_ts,
        c.source as context_source
    from asset_contexts as c
    cross join answering as a
    where
        c.venue = 'hyperliquid'
        and c.coin = $coin
        and c.context_ts <= a.snapshot_ts
        and coalesce(c.open_interest_notional, c.open_interest * c.mark_px) is not null
    order by c.context_ts desc, c.source
    limit 1
)

select
    s.snapshot_ts,
    s.source,
    s.known_ts,
    s.accounts,
    s.positions,
    s.px_venue,
    s.px_computed,
    s.px_never,
    s.px_unknown,
    h.long_seen,
    h.short_seen,
    h.both_priced,
    h.both_seen,
    h.coin_positions,
    h.coin_unpriced,
    v.open_interest,
    v.context_ts,
    v.context_source
from answering as a
inner join snapshots as s using (day, snapshot_ts, source, scope)
cross join held as h
left join venue as v on true
