-- Where one coin's leverage lives: liquidation notional by side and price bucket.
--
-- grain: side, px_low
-- reads: positions_at
-- units: px_low, px_high, px, current_px are USD; size is coins; notional is USD at the price
--        where positions close; distance_pct is px against current_px, per cent, signed;
--        top_account_share is a fraction of the bucket's notional
-- table macro: liquidation_map(coin, "at", width_pct := 0.5, knowable := false, max_age := interval 26 hours, untrusted := false)
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
    select
        h.*,
        bucket_of(h.liquidation_px, width_pct) as bucket
    from held as h
    where h.liquidation_px is not null
),

bucketed as (
    select
        side,
        bucket,
        sum(notional * liquidation_px) / sum(notional) as px,
        sum(abs(size)) as size,
        sum(notional) as notional,
        count(*) as positions,
        count(distinct account) as accounts,
        max(notional) / sum(notional) as top_account_share
    from priced
    group by all
)

select
    n.coin_asked as coin,
    b.side,
    bucket_low(b.bucket, width_pct) as px_low,
    bucket_low(b.bucket + 1, width_pct) as px_high,
    b.px,
    b.size,
    b.notional,
    b.positions,
    b.accounts,
    b.top_account_share,
    (b.px / c.px - 1) * 100 as distance_pct,
    c.px as current_px,
    c.snapshot_ts
from bucketed as b
cross join marked as c
cross join named as n
order by b.side, b.bucket
