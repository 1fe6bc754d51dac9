-- Whether leverage within reach lies evenly on both sides: the largest over the smallest side of
-- what a move of within_pct either way would trigger.
--
-- grain: one row
-- reads: cascade_scenarios
-- units: notional is USD; ratio is null where the smaller side holds nothing, regime is then
--        fragile; both are null where neither side holds anything
-- table macro: leverage_regime(coin, "at", within_pct := 15, knowable := false, max_age := interval 26 hours, untrusted := false)
with named as (
    select
        coin as coin_asked,
        within_pct as reach_pct
),

triggered as (
    from cascade_scenarios(
        coin, "at", pcts := [within_pct], knowable := knowable, max_age := max_age, untrusted := untrusted
    )
),

sides as (
    select
        sum(s.notional) filter (where s.side = 'long') as long_notional,
        sum(s.notional) filter (where s.side = 'short') as short_notional,
        any_value(s.current_px) as current_px,
        any_value(s.snapshot_ts) as snapshot_ts
    from triggered as s
    having count(*) > 0
)

select
    n.coin_asked as coin,
    ratio_of(s.long_notional, s.short_notional) as ratio,
    regime_of(s.long_notional, s.short_notional) as regime,
    s.long_notional,
    s.short_notional,
    n.reach_pct as within_pct,
    s.current_px,
    s.snapshot_ts
from sides as s
cross join named as n
