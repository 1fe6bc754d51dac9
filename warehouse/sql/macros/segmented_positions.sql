-- The positions of every coin at a moment, each with the segments of its account.
--
-- grain: coin, account
-- reads: all_positions_at, account_profits
-- columns:
--   from all_positions_at: coin, dex, account, side, size, entry_px, mark_px, liquidation_px,
--       liquidation_px_source, notional, mark_notional, leverage, leverage_type, account_mode,
--       snapshot_ts, source, state_ts, current_px
--   account_value  | USD  | of the whole account: the sum over the dexes where it holds a position, or,
--         where one collateral stands behind all of them, that
--       | not known of one of these dexes | all_positions_at.account_value
--   size_segment   | none | segment by account_value; unknown_size: that is not known
--       | never | made here
--   profit         | USD  | realised on perpetual fills until the moment, see account_profits
--       | profits are not wanted, the lake holds no fill of the account, or one does not give it |
--         fills.closed_pnl
--   first_fill_ts  | none | since when profit counts: the first fill held
--       | profits are not wanted, or the lake holds no fill of the account | fills.time_ts
--   profit_segment | none | segment by profit; unknown_profit: that is not known
--       | profits are not wanted | made here
-- table macro: segmented_positions("at", knowable := false, profits := true, max_age := interval 26 hours, untrusted := false)
with asked as (
    select profits as profits_asked
),

held as materialized (
    from all_positions_at("at", knowable := knowable, max_age := max_age, untrusted := untrusted)
),

-- Several coins of one dex report the same value, or, read at several moments, the newest.
by_dex as (
    select
        h.account,
        h.dex,
        arg_max_null(h.account_value, h.state_ts) as account_value,
        bool_or(h.account_mode in ('unified', 'portfolio_margin')) as is_one
    from held as h
    group by h.account, h.dex
),

worth as (
    select
        d.account,
        case
            when count(*) > count(d.account_value) then null
            when bool_or(d.is_one) then max(d.account_value)
            else sum(d.account_value)
        end as account_value
    from by_dex as d
    group by d.account
),

sized as (
    select
        w.account,
        w.account_value,
        segment_of('size', w.account_value) as size_segment
    from worth as w
),

earned as (
    from account_profits("at", knowable := knowable, wanted := profits)
)

select
    h.* exclude (account_value),
    z.account_value,
    z.size_segment,
    e.profit,
    e.first_fill_ts,
    if(q.profits_asked, segment_of('profit', e.profit), null) as profit_segment
from held as h
inner join sized as z on h.account = z.account
cross join asked as q
left join earned as e on h.account = e.account
