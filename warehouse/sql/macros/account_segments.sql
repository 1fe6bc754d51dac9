-- Who held positions at a moment, and which segments they are of, by size and by profit.
--
-- grain: account
-- reads: segmented_positions
-- columns:
--   from segmented_positions: account, account_value, size_segment
--   profit         | USD       | realised on perpetual fills until the moment, see account_profits
--       | the lake holds no fill of the account, or one does not give it | fills.closed_pnl
--   first_fill_ts  | none      | since when profit counts: the first fill held
--       | the lake holds no fill of the account | fills.time_ts
--   profit_segment | none      | segment by profit; unknown_profit: that is not known
--       | never | made here
--   notional       | USD       | of all its positions, at their marks
--       | never | positions.size, positions.mark_px
--   positions      | positions | that it holds | never | made here
--   snapshot_ts    | none      | of the newest snapshot or sweep that answered
--       | never | snapshots.snapshot_ts
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
