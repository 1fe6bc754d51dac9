-- Who held positions at a moment, and which segments they are of, by size and by profit.
--
-- grain: account
-- reads: segmented_positions
-- units: account_value, notional and profit are USD; notional is of all positions, at their marks; a
--        null amount belongs to the unknown segment; first_fill_ts is since when profit counts,
--        null: the lake holds no fill of the account; snapshot_ts is the newest that answered
-- table macro: account_segments("at", knowable := false, max_age := interval 26 hours, untrusted := false)
with held as (
    from segmented_positions("at", knowable := knowable, max_age := max_age, untrusted := untrusted)
)

select
    h.account,
    any_value(h.account_value) as account_value,
    any_value(h.size_segment) as size_segment,
    any_value(h.profit) as profit,
    any_value(h.first_fill_ts) as first_fill_ts,
    any_value(h.profit_segment) as profit_segment,
    sum(h.mark_notional) as notional,
    count(*) as positions,
    max(h.snapshot_ts) as snapshot_ts
from held as h
group by h.account
order by h.account
