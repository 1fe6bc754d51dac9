-- A fill of a takeover or of auto-deleveraging names the account that was liquidated, as the
-- venue's `liquidation` object does.
--
-- check: warn
-- table: fills
-- reads: fills
select
    min(time_ts) as start_ts,
    max(time_ts) + interval 1 microsecond as end_ts,
    source,
    coin as subject,
    count(*) || ' fills of a takeover or of auto-deleveraging name no liquidated account' as what,
    count(*) as rows,
    max(known_ts) as known_ts
from fills_versions
where
    superseded_ts is null
    and liquidation_method in ('backstop', 'adl')
    and liquidated_account is null
    and day >= getvariable('since')
    and day < getvariable('until')
group by day, source, coin
