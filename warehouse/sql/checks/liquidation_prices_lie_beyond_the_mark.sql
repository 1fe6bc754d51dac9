-- A long is liquidated below the mark and a short above it.  Up to 1 % on the other side is let
-- pass: such a position is being liquidated.
--
-- check: warn
-- table: positions
-- reads: positions
with judged as (
    select
        *,
        sign(size) * (liquidation_px / mark_px - 1) as past
    from positions_versions
    where
        superseded_ts is null
        and liquidation_px is not null
        and day >= getvariable('since')
        and day < getvariable('until')
)

select
    snapshot_ts as start_ts,
    null::timestamptz as end_ts,
    source,
    coin as subject,
    'liquidation_px ' || arg_max(liquidation_px, past) || ' of a '
    || arg_max(if(size > 0, 'long', 'short'), past) || ' at mark '
    || arg_max(mark_px, past) as what,
    count(*) as rows,
    max(known_ts) as known_ts
from judged
where past > 0.01
group by snapshot_ts, source, coin
