-- Concentrations of one coin's liquidation notional, largest first.
--
-- A cluster is a price window of width_pct that starts at a position's liquidation price and holds
-- more of its side than any window that starts within width_pct of it.  Windows start at prices,
-- not on a grid, so that no grid can cut a concentration in two or move it; clusters of one side
-- do not overlap; notional outside every cluster is concentrated nowhere.
--
-- grain: side, px_low
-- reads: positions_at
-- units: as liquidation_map; share is a fraction of the coin's notional with a price, both sides
-- table macro: liquidation_clusters(coin, "at", width_pct := 1.0, knowable := false, max_age := interval 26 hours, untrusted := false)
with named as (
    select coin as coin_asked
),

held as materialized (
    from positions_at(coin, "at", knowable := knowable, max_age := max_age, untrusted := untrusted)
),

marked as (
    select
        any_value(h.current_px) as px,
        any_value(h.snapshot_ts) as snapshot_ts
    from held as h
),

priced as (
    select *
    from held
    where liquidation_px is not null
),

total as (
    select sum(notional) as notional
    from priced
),

steps as (
    select
        side,
        liquidation_px as px_low,
        ln(liquidation_px) as step,
        sum(notional) as notional
    from priced
    group by all
),

-- A frame takes in its bounds: the window, half-open, ends just before them; the comparison with
-- its neighbours ends just after them, so that two clusters never share a price.
windowed as (
    select
        side,
        px_low,
        step,
        sum(notional) over (
            partition by side order by step
            range between current row and ln(1.0 + checked_width(width_pct) / 100.0) - 1e-12 following
        ) as notional
    from steps
),

-- Of windows with equal notional the one that starts lowest stands.
ranked as (
    select
        *,
        arg_max(px_low, struct_pack(notional := notional, low := -px_low)) over (
            partition by side order by step
            range between ln(1.0 + checked_width(width_pct) / 100.0) + 1e-12 preceding
            and ln(1.0 + checked_width(width_pct) / 100.0) + 1e-12 following
        ) as strongest
    from windowed
),

peaks as (
    select
        side,
        px_low,
        px_low * (1.0 + checked_width(width_pct) / 100.0) as px_high
    from ranked
    where strongest = px_low
)

select
    any_value(n.coin_asked) as coin,
    k.side,
    sum(p.notional * p.liquidation_px) / sum(p.notional) as px,
    k.px_low,
    k.px_high,
    sum(p.notional) as notional,
    sum(abs(p.size)) as size,
    count(*) as positions,
    (sum(p.notional * p.liquidation_px) / sum(p.notional) / any_value(c.px) - 1) * 100 as distance_pct,
    sum(p.notional) / any_value(t.notional) as share,
    any_value(c.px) as current_px,
    any_value(c.snapshot_ts) as snapshot_ts
from peaks as k
inner join priced as p
    on
        p.side = k.side
        and p.liquidation_px >= k.px_low
        and p.liquidation_px < k.px_high
cross join total as t
cross join marked as c
cross join named as n
group by k.side, k.px_low, k.px_high
order by notional desc, k.side, k.px_low
