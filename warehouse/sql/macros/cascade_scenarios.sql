-- What a move would trigger: of a fall by pct every long whose liquidation price it reaches, of a
-- rise every short; those already past the current price included.  Static: the move itself is
-- given, what the triggered orders do to the price is not added.
--
-- grain: direction, pct
-- reads: positions_at, current_px
-- columns:
--   coin       | none      | the coin asked for | never | argument coin
--   direction  | none      | of the move: down or up | never | made here
--   pct        | per cent  | how far the move goes, of current_px | never | argument pcts
--   side       | none      | that it triggers: long of a fall, short of a rise | never | made here
--   current_px | USD       | the coin's mark at snapshot_ts | never | current_px.px
--   target_px  | USD       | current_px after the move | never | made here
--   notional   | USD       | of the positions triggered, at the prices where they close; 0: none is
--         mapped there
--       | never | positions.size, positions.liquidation_px
--   positions  | positions | triggered | never | made here
--   from current_px: snapshot_ts
-- table macro: cascade_scenarios(coin, "at", pcts := [5, 10, 15], knowable := false, max_age := interval 26 hours, untrusted := false, coin_by := null)
with named as (
    select coin as coin_asked
),

asked as (
    select distinct unnest(checked_pcts(pcts)) as pct
),

held as (
    from positions_at(coin, "at", knowable := knowable, max_age := max_age, untrusted := untrusted, coin_by := coin_by)
),

marked as (
    from current_px(coin, "at", knowable := knowable, max_age := max_age, untrusted := untrusted, coin_by := coin_by)
),

targets as (
    select
        m.direction,
        a.pct,
        m.side,
        c.px as current_px,
        -- In this order a whole percentage of a round price is met exactly: 100 + 15 % is 115.0.
        c.px * (100 + m.sign * a.pct) / 100.0 as target_px,
        m.sign,
        c.snapshot_ts
    from asked as a
    cross join (values ('down', 'long', -1), ('up', 'short', 1)) as m (direction, side, sign)
    cross join marked as c
)

select
    n.coin_asked as coin,
    t.direction,
    t.pct,
    t.side,
    t.current_px,
    t.target_px,
    coalesce(sum(p.notional), 0) as notional,
    count(p.account) as positions,
    t.snapshot_ts
from targets as t
cross join named as n
left join held as p
    on
        p.side = t.side
        and p.liquidation_px * t.sign <= t.target_px * t.sign
group by all
order by t.direction, t.pct
