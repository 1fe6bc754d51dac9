-- Concentrations of one coin's liquidation notional, largest first.
--
-- The price window of width_pct that starts at a position's liquidation price and holds most of its
-- side is a cluster; of equals the lowest.  Its positions are taken out, the strongest window of
-- those left is the next, and so on until none is left: every position with a price is in exactly
-- one cluster.  Windows start at prices, not on a grid, so that no grid can cut a concentration in
-- two or move it.  See docs/definitions.md, "Clusters".
--
-- grain: side, px_low
-- reads: positions_at
-- columns:
--   as liquidation_map: coin, side, px, size, notional, positions
--   from positions_at: current_px, snapshot_ts
--   px_low       | USD      | lowest liquidation price in the cluster
--       | never | positions.liquidation_px
--   px_high      | USD      | end of its window, or where a stronger cluster begins before; not part of
--         it
--       | never | made here
--   distance_pct | per cent | px against current_px, signed | never | made here
--   share        | fraction | of the coin's notional with a price, both sides | never | made here
-- table macro: liquidation_clusters(coin, "at", width_pct := 1.0, knowable := false, max_age := interval 26 hours, untrusted := false, coin_by := null)
with recursive asked as materialized (
    select
        coin as coin_asked,
        1.0 + checked_width(width_pct) / 100.0 as wide
),

held as materialized (
    from positions_at(coin, "at", knowable := knowable, max_age := max_age, untrusted := untrusted, coin_by := coin_by)
),

marked as (
    select
        any_value(h.current_px) as px,
        any_value(h.snapshot_ts) as snapshot_ts
    from held as h
),

total as (
    select sum(h.notional) as notional
    from held as h
    where h.liquidation_px is not null
),

-- Neighbours in cell are compared, so that a round costs one pass: windows that share a price start at
-- most one cell apart.  Where the cells lie decides nothing but how many rounds it takes.
steps as materialized (
    select
        s.*,
        s.step_px * s.wide as end_px,
        floor(ln(s.step_px) / (ln(s.wide) * (1.0 + 1e-6)))::bigint as cell
    from (
        select
            h.side,
            h.liquidation_px as step_px,
            q.wide,
            sum(h.notional) as notional,
            sum(abs(h.size)) as size,
            count(*) as positions
        from held as h
        cross join asked as q
        where h.liquidation_px is not null
        group by all
    ) as s
),

-- Round by round.  A window that beats all that share a price with it is what the strongest-first
-- order takes too, whatever it takes before; so each round takes all of those at once.  Six or so
-- are usual; an even slope takes one for each of its clusters.
taken as (
    select
        p.side,
        p.cell,
        p.step_px,
        p.end_px,
        p.notional,
        -- Half-open, and exact: the end is at most twice the start, so that neither the difference
        -- nor the sum that the frame makes of it is rounded.
        sum(p.notional) over (
            partition by p.side order by p.step_px
            range between current row and (nextafter(p.end_px, 0.0) - p.step_px) following
        ) as mass,
        null::double as cluster_px
    from steps as p
    union all
    (
        with strongest as (
            select
                t.side,
                t.cell,
                max(struct_pack(mass := t.mass, low := -t.step_px, high := t.end_px)) as best
            from taken as t
            where t.cluster_px is null
            group by t.side, t.cell
        ),

        winners as (
            select
                b.side,
                b.cell,
                -b.best.low as low_px,
                b.best.high as high_px
            from strongest as b
            left join strongest as l on b.side = l.side and b.cell = l.cell + 1
            left join strongest as r on b.side = r.side and b.cell = r.cell - 1
            where b.best > coalesce(l.best, {'mass': 0.0, 'low': 0.0, 'high': 0.0})
            and b.best > coalesce(r.best, {'mass': 0.0, 'low': 0.0, 'high': 0.0})
        ),

        -- A winner takes from its own cell and the one above, and cuts windows of its own and the one
        -- below; what is cut sums up to where the winner begins, all of which is still there.
        takers as (
            select
                w.*,
                unnest([w.cell, w.cell + 1]) as taken_cell
            from winners as w
        ),

        cutters as (
            select
                w.*,
                unnest([w.cell, w.cell - 1]) as cut_cell
            from winners as w
        ),

        met as materialized (
            select
                t.* exclude (cluster_px),
                if(k.low_px <= t.step_px and k.high_px > t.step_px, k.low_px, null) as cluster_px,
                if(c.low_px > t.step_px and c.low_px < t.end_px, c.low_px, null) as cut_px
            from taken as t
            left join takers as k on t.side = k.side and t.cell = k.taken_cell
            left join cutters as c on t.side = c.side and t.cell = c.cut_cell
            where t.cluster_px is null
        )

        select m.* exclude (cut_px)
        from met as m
        where m.cut_px is null or m.cluster_px is not null
        union all
        select m.* exclude (cut_px) replace (
            sum(m.notional) over (
                partition by m.side, m.cut_px order by m.step_px desc rows unbounded preceding
            ) as mass
        )
        from met as m
        where m.cut_px is not null and m.cluster_px is null
    )
),

clusters as (
    select
        p.side,
        t.cluster_px as px_low,
        sum(p.notional * p.step_px) / sum(p.notional) as px,
        sum(p.notional) as notional,
        sum(p.size) as size,
        sum(p.positions)::bigint as positions
    from taken as t
    inner join steps as p on t.side = p.side and t.step_px = p.step_px
    where t.cluster_px is not null
    group by all
),

ended as (
    select
        k.*,
        least(
            k.px_low * q.wide,
            coalesce(lead(k.px_low) over (partition by k.side order by k.px_low), 'infinity')
        ) as px_high
    from clusters as k
    cross join asked as q
)

select
    n.coin_asked as coin,
    k.side,
    k.px,
    k.px_low,
    k.px_high,
    k.notional,
    k.size,
    k.positions,
    (k.px / c.px - 1) * 100 as distance_pct,
    k.notional / t.notional as share,
    c.px as current_px,
    c.snapshot_ts
from ended as k
cross join total as t
cross join marked as c
cross join asked as n
order by k.notional desc, k.side, k.px_low
