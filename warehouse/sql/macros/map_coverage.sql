-- How much of the venue's open interest in one coin the map of a moment has seen: by side, and by how
-- far from the current price the positions are liquidated.
--
-- Every position is in one band, or in `unpriced` (it has no liquidation price, or none is known),
-- and in `all`; a position past its price is 0 % away.  Longs and shorts are each held against the
-- whole open interest, which is one-sided.  Above 1 is possible: a merged map is of several moments.
--
-- grain: side, band
-- reads: positions_at, states_at, snapshot_at, snapshots, asset_contexts
-- columns:
--   coin                | none      | the coin asked for | never | argument coin
--   side                | none      | of the positions: long or short | never | made here
--   band                | none      | how far from current_px they close, per cent: 0-5 to 50+;
--         unpriced: no price, or none known; all
--       | never | made here
--   low_pct             | per cent  | nearest distance of the band, part of it
--       | of unpriced and all | made here
--   high_pct            | per cent  | farthest distance, not part of it
--       | it has no end, or of unpriced and all | made here
--   mapped_notional     | USD       | of the mapped positions, at mark_px | never | made here
--   mapped_size         | coin      | coins mapped, not signed | never | positions.size
--   positions           | positions | mapped | never | made here
--   venue_open_interest | USD       | the whole side's, in every row, at mark_px
--       | none at most max_age old is known | asset_contexts.open_interest,
--         asset_contexts.open_interest_notional
--   coverage            | fraction  | mapped_notional of venue_open_interest: bands and unpriced add up
--         to all; what lacks to 1 may lie in any band
--       | venue_open_interest is not known, or 0 | made here
--   mark_px             | USD       | mark that the venue gave with its open interest, or else
--         current_px
--       | neither is known | asset_contexts.mark_px, positions.mark_px
--   current_px          | USD       | the coin's mark at snapshot_ts; where no position is known, the
--         venue's with its open interest
--       | neither is known | positions.mark_px, asset_contexts.mark_px
--   context_ts          | none      | of the venue's open interest
--       | none at most max_age old is known | asset_contexts.context_ts
--   accounts_asked      | accounts  | whose own answer is on the map
--       | a complete snapshot answers alone | made here
--   accounts_known      | accounts  | that the answering sweep knew of
--       | a complete snapshot answers alone | snapshots.accounts_asked, snapshots.accounts_skipped
--   complete            | none      | true: a complete snapshot answers alone; false: a sweep
--       | never | snapshots.complete
--   base_ts             | none      | of the complete snapshot that everybody without an own answer is
--         read from
--       | there is none | snapshots.snapshot_ts
--   oldest_ts           | none      | the oldest moment on the map
--       | nobody's answer is held | states_at.state_ts
--   snapshot_ts         | none      | of the snapshot or sweep that answers
--       | never | snapshots.snapshot_ts
--   age_hours           | hours     | from snapshot_ts to the moment asked for | never | made here
-- table macro: map_coverage(coin, "at", knowable := false, max_age := interval 26 hours, untrusted := false, coin_by := null)
with asked as (
    select
        coin as coin_asked,
        checked_moment("at", 'at') as at_asked,
        knowable as knowable_asked,
        checked_reach(max_age) as age_asked
    where coin <> ''
),

answering as (
    from snapshot_at(coin, "at", knowable := knowable, untrusted := untrusted)
),

counted as (
    select
        a.snapshot_ts,
        a.source,
        a.complete,
        if(a.complete, null, s.accounts_asked + coalesce(s.accounts_skipped, 0)) as accounts_known
    from answering as a
    inner join snapshots_versions as s
        on
            a.day = s.day
            and a.snapshot_ts = s.snapshot_ts
            and a.source = s.source
            and a.scope = s.scope
            and a.known_ts = s.known_ts
    cross join asked as q
    where stands(s.known_ts, s.since_ts, s.superseded_ts, q.at_asked, q.knowable_asked)
    limit 1
),

states as (
    from states_at(coin, "at", knowable := knowable, max_age := max_age, untrusted := untrusted)
),

heard as (
    select
        count(w.account) as accounts_asked,
        min(w.state_ts) as oldest_ts,
        max(w.state_ts) filter (where w.account is null) as base_ts
    from states as w
),

held as (
    from positions_at(coin, "at", knowable := knowable, max_age := max_age, untrusted := untrusted, coin_by := coin_by)
),

context as (
    select
        c.mark_px,
        c.open_interest,
        c.open_interest_notional,
        c.context_ts
    from asset_contexts_versions as c
    cross join asked as q
    where
        c.coin = q.coin_asked
        and c.venue = 'hyperliquid'
        and coalesce(c.open_interest, c.open_interest_notional) is not null
        and c.context_ts between q.at_asked - q.age_asked and q.at_asked
        and c.day between ((q.at_asked - q.age_asked) at time zone 'UTC')::date
        and (q.at_asked at time zone 'UTC')::date
        and stands(c.known_ts, c.since_ts, c.superseded_ts, q.at_asked, q.knowable_asked)
    order by c.context_ts desc, c.source
    limit 1
),

marked as (
    select any_value(h.current_px) as px
    from held as h
),

bands as (
    select *
    from (values ('long'), ('short')) as s (side)
    cross join (
        values
        (1, '0-5', 0.0::double, 5.0::double),
        (2, '5-10', 5, 10),
        (3, '10-25', 10, 25),
        (4, '25-50', 25, 50),
        (5, '50+', 50, 'infinity'::double),
        (6, 'unpriced', null, null),
        (7, 'all', null, null)
    ) as b (nth, band, low_pct, high_pct)
),

placed as (
    select
        h.side,
        abs(h.size) as size,
        -- Beside a null, greatest(0, …) says 0.
        if(
            h.liquidation_px is null,
            null,
            greatest(
                0,
                if(h.side = 'long', -1, 1) * (100 * h.liquidation_px / h.current_px - 100)
            )
        ) as distance_pct
    from held as h
),

summed as (
    select
        b.side,
        b.nth,
        b.band,
        b.low_pct,
        b.high_pct,
        coalesce(sum(p.size), 0) as mapped_size,
        count(p.size) as positions
    from bands as b
    left join placed as p
        on
            b.side = p.side
            and case b.band
                when 'all' then true
                when 'unpriced' then p.distance_pct is null
                else p.distance_pct >= b.low_pct and p.distance_pct < b.high_pct
            end
    group by all
),

valued as (
    select
        s.*,
        k.*,
        g.accounts_asked,
        g.oldest_ts,
        g.base_ts,
        c.context_ts,
        coalesce(m.px, c.mark_px) as current_px,
        coalesce(c.mark_px, m.px) as mark_px,
        coalesce(c.open_interest * coalesce(c.mark_px, m.px), c.open_interest_notional)
            as venue_open_interest
    from summed as s
    cross join counted as k
    cross join heard as g
    cross join marked as m
    left join context as c on true
)

select
    q.coin_asked as coin,
    v.side,
    v.band,
    v.low_pct,
    nullif(v.high_pct, 'infinity'::double) as high_pct,
    if(v.positions = 0, 0, v.mapped_size * v.mark_px) as mapped_notional,
    v.mapped_size,
    v.positions,
    v.venue_open_interest,
    if(v.positions = 0, 0, v.mapped_size * v.mark_px) / nullif(v.venue_open_interest, 0) as coverage,
    v.mark_px,
    v.current_px,
    v.context_ts,
    if(v.complete, null, v.accounts_asked) as accounts_asked,
    v.accounts_known,
    v.complete,
    v.base_ts,
    v.oldest_ts,
    v.snapshot_ts,
    (epoch_us(q.at_asked) - epoch_us(v.snapshot_ts)) / 3.6e9 as age_hours
from valued as v
cross join asked as q
order by v.side, v.nth
