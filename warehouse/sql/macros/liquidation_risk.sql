-- Of each coin's open interest in the hands of a segment, the share that is near liquidation: whose
-- mark has gone at least threshold_pct of the way from entry to liquidation.  Exactly, for every order
-- of the three prices and where one is missing: docs/definitions.md, Liquidation risk.
--
-- grain: coin
-- reads: segmented_positions
-- columns:
--   from segmented_positions: coin, current_px, snapshot_ts
--   segment              | none      | the segment asked for | never | argument segment
--   open_interest        | USD       | of the segment's positions, both sides, at current_px
--       | never | positions.size
--   at_risk              | USD       | part of it that is near liquidation | never | made here
--   risk_pct             | per cent  | at_risk of open_interest less unknown_interest
--       | nothing is left of it | made here
--   long_at_risk         | USD       | the longs of at_risk | never | made here
--   short_at_risk        | USD       | the shorts of at_risk | never | made here
--   unknown_interest     | USD       | part of open_interest of which no way from entry to liquidation
--         is known, or none lies against the position
--       | never | made here
--   unknown_pct          | per cent  | unknown_interest of open_interest | never | made here
--   unpriced_interest    | USD       | part of open_interest without a liquidation price; it counts as
--         not at risk
--       | never | made here
--   positions            | positions | of open_interest | never | made here
--   positions_at_risk    | positions | of at_risk | never | made here
--   positions_unknown    | positions | of unknown_interest | never | made here
--   positions_unpriced   | positions | of unpriced_interest | never | made here
--   positions_past_entry | positions | whose liquidation price lies past their entry: their loss is
--         locked out
--       | never | made here
--   accounts             | accounts  | that hold them | never | made here
-- table macro: liquidation_risk(segment, "at", knowable := false, threshold_pct := 75, max_age := interval 26 hours, untrusted := false)
with asked as (
    select
        checked_segment(segment) as segment_asked,
        checked_threshold(threshold_pct) as threshold_asked
),

held as (
    from segmented_positions(
        "at",
        knowable := knowable,
        profits := list_contains(
            list_transform(
                list_filter(segment_list(), lambda a_segment: a_segment.kind = 'profit'),
                lambda a_segment: a_segment.segment
            ),
            checked_segment(segment)
        ),
        max_age := max_age,
        untrusted := untrusted
    )
),

-- Of a short every difference has the other sign.
judged as (
    select
        h.coin,
        h.side,
        h.account,
        h.snapshot_ts,
        h.current_px,
        abs(h.size) * h.current_px as interest,
        h.liquidation_px is null as is_unpriced,
        case
            when h.liquidation_px is null then false
            when (h.current_px - h.liquidation_px) * sign(h.size) <= 0 then true
            when h.entry_px is null then null
            when (h.entry_px - h.liquidation_px) * sign(h.size) <= 0 then null
            else
                100 * (h.entry_px - h.current_px) * sign(h.size)
                >= q.threshold_asked * (h.entry_px - h.liquidation_px) * sign(h.size)
        end as is_at_risk,
        coalesce((h.entry_px - h.liquidation_px) * sign(h.size) <= 0, false) as is_past_entry
    from held as h
    cross join asked as q
    where q.segment_asked in ('all', h.size_segment, coalesce(h.profit_segment, ''))
)

select
    j.coin,
    any_value(q.segment_asked) as segment,
    sum(j.interest) as open_interest,
    coalesce(sum(j.interest) filter (where j.is_at_risk), 0) as at_risk,
    100 * (
        coalesce(sum(j.interest) filter (where j.is_at_risk), 0)
        / sum(j.interest) filter (where j.is_at_risk is not null)
    ) as risk_pct,
    coalesce(sum(j.interest) filter (where j.is_at_risk and j.side = 'long'), 0) as long_at_risk,
    coalesce(sum(j.interest) filter (where j.is_at_risk and j.side = 'short'), 0) as short_at_risk,
    coalesce(sum(j.interest) filter (where j.is_at_risk is null), 0) as unknown_interest,
    100 * (coalesce(sum(j.interest) filter (where j.is_at_risk is null), 0) / sum(j.interest)) as unknown_pct,
    coalesce(sum(j.interest) filter (where j.is_unpriced), 0) as unpriced_interest,
    count(*) as positions,
    count(*) filter (where j.is_at_risk) as positions_at_risk,
    count(*) filter (where j.is_at_risk is null) as positions_unknown,
    count(*) filter (where j.is_unpriced) as positions_unpriced,
    count(*) filter (where j.is_past_entry) as positions_past_entry,
    count(distinct j.account) as accounts,
    any_value(j.current_px) as current_px,
    any_value(j.snapshot_ts) as snapshot_ts
from judged as j
cross join asked as q
group by j.coin
order by j.coin
