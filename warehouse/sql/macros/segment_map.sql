-- Whose leverage lives where: a coin's liquidation map with each bucket told apart by segment, of one
-- kind (size or profit), and the segment that is hit most there.
--
-- grain: side, px_low, segment
-- reads: segmented_positions, segments
-- columns:
--   as liquidation_map: coin, side, px_low, px_high, px, size, notional, positions, accounts
--   segment          | none     | of the accounts, of the kind asked for
--       | never | segmented_positions.size_segment, segmented_positions.profit_segment
--   share            | fraction | of the bucket's notional | never | made here
--   most_hit_segment | none     | the bucket's segment with the most notional, of equals the smaller
--       | most of it is of accounts whose segment is not known | made here
--   from segmented_positions: current_px, snapshot_ts
-- table macro: segment_map(coin, "at", width_pct := 0.5, kind := 'size', knowable := false, max_age := interval 26 hours, untrusted := false, coin_by := null)
with named as (
    select
        coin as coin_asked,
        checked_kind(kind) as kind_asked
    where checked_width(width_pct) > 0
),

coin_known as materialized (
    select checked_coin(
        coin, coalesce(checked_moment(coin_by, 'coin_by'), try_cast("at" as timestamptz)), knowable
    ) as coin_asked
),

held as (
    from segmented_positions(
        "at",
        knowable := knowable,
        profits := checked_kind(kind) = 'profit',
        max_age := max_age,
        untrusted := untrusted
    )
),

priced as (
    select
        h.side,
        h.account,
        h.size,
        h.notional,
        h.liquidation_px,
        h.current_px,
        h.snapshot_ts,
        bucket_of(h.liquidation_px, width_pct) as bucket,
        if(n.kind_asked = 'size', h.size_segment, h.profit_segment) as segment
    from held as h
    inner join coin_known as k on h.coin = k.coin_asked
    cross join named as n
    where h.liquidation_px is not null
),

bucketed as (
    select
        side,
        bucket,
        segment,
        sum(notional * liquidation_px) / sum(notional) as px,
        sum(abs(size)) as size,
        sum(notional) as notional,
        count(*) as positions,
        count(distinct account) as accounts,
        any_value(current_px) as current_px,
        any_value(snapshot_ts) as snapshot_ts
    from priced
    group by all
),

ranked as (
    select
        b.*,
        s.nth,
        b.notional / sum(b.notional) over (partition by b.side, b.bucket) as share,
        first_value(if(s.at_least is null and s.below is null, null, b.segment)) over (
            partition by b.side, b.bucket
            order by b.notional desc, s.nth
        ) as most_hit_segment
    from bucketed as b
    inner join segments as s on b.segment = s.segment
)

select
    n.coin_asked as coin,
    r.side,
    bucket_low(r.bucket, width_pct) as px_low,
    bucket_low(r.bucket + 1, width_pct) as px_high,
    r.segment,
    r.px,
    r.size,
    r.notional,
    r.positions,
    r.accounts,
    r.share,
    r.most_hit_segment,
    r.current_px,
    r.snapshot_ts
from ranked as r
cross join named as n
order by r.side, r.bucket, r.nth
