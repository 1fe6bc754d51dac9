-- Whether leverage within reach lies evenly on both sides: the largest over the smallest side of
-- what a move of within_pct either way would trigger.
--
-- grain: one row
-- reads: cascade_scenarios
-- columns:
--   coin           | none     | the coin asked for | never | argument coin
--   ratio          | x        | the largest over the smallest side
--       | the smaller side holds nothing | made here
--   regime         | none     | symmetric: ratio below 2; tilted: to 4; fragile: above, or one side
--         holds nothing
--       | neither side holds anything | made here
--   long_notional  | USD      | of the longs that a fall by within_pct triggers, at the prices where
--         they close
--       | never | positions.size, positions.liquidation_px
--   short_notional | USD      | of the shorts that a rise by within_pct triggers, at the prices where
--         they close
--       | never | positions.size, positions.liquidation_px
--   within_pct     | per cent | how far the moves go, of current_px | never | argument within_pct
--   from cascade_scenarios: current_px, snapshot_ts
-- table macro: leverage_regime(coin, "at", within_pct := 15, knowable := false, max_age := interval 26 hours, untrusted := false, coin_by := null)
with named as (
    select
        coin as coin_asked,
        within_pct as reach_pct
),

triggered as (
    from cascade_scenarios(
        coin,
        "at",
        pcts := [within_pct],
        knowable := knowable,
        max_age := max_age,
        untrusted := untrusted,
        coin_by := coin_by
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
