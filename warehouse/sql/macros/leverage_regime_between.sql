-- The regime through time: what leverage_regime says at since and every so long after it, before
-- until.  A moment that no snapshot answers has no row.
--
-- grain: ts
-- reads: cascade_scenarios_between
-- columns:
--   as leverage_regime: coin, ratio, regime, long_notional, short_notional, within_pct
--   from cascade_scenarios_between: ts, current_px, snapshot_ts
-- table macro: leverage_regime_between(coin, since, until, every, within_pct := 15, knowable := false, max_age := interval 26 hours, untrusted := false)
with named as (
    select within_pct as reach_pct
),

sides as (
    select
        s.coin,
        s.ts,
        sum(s.notional) filter (where s.side = 'long') as long_notional,
        sum(s.notional) filter (where s.side = 'short') as short_notional,
        any_value(s.current_px) as current_px,
        any_value(s.snapshot_ts) as snapshot_ts
    from cascade_scenarios_between(
        coin,
        since,
        until,
        every,
        pcts := [within_pct],
        knowable := knowable,
        max_age := max_age,
        untrusted := untrusted
    ) as s
    group by s.coin, s.ts
)

select
    s.coin,
    s.ts,
    ratio_of(s.long_notional, s.short_notional) as ratio,
    regime_of(s.long_notional, s.short_notional) as regime,
    s.long_notional,
    s.short_notional,
    n.reach_pct as within_pct,
    s.current_px,
    s.snapshot_ts
from sides as s
cross join named as n
order by s.ts
