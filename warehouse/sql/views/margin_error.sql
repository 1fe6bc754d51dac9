-- How far our liquidation prices are from the venue's own, per coin, margin mode and day: how large
-- the error is, how many prices are close, and what explains the rest.
--
-- Of each venue price our price is made without looking at it; a nightly step does it and lands
-- margin_errors.  Definition: docs/definitions.md, "Margin error".
--
-- grain: day, source, scope, coin, leverage_type
-- reads: margin_errors
-- columns:
--   from margin_errors: day, source, scope, coin, leverage_type, compared, median_error, p99_error,
--       near_zero, own_leverage, unexplained, no_tiers, no_margin, margin_mode_unknown,
--       shared_collateral, no_other_price, known_ts
--   venue_prices     | positions | with the venue's own price | never | margin_errors.venue
--   compared_share   | fraction  | of venue_prices, those compared
--       | there is none | margin_errors.compared, margin_errors.venue
--   within_1e6_share | fraction  | of compared, those with an error of at most 1e-6
--       | nothing is compared | margin_errors.within_1e6, margin_errors.compared
--   within_1e4_share | fraction  | of compared, those with an error of at most 1e-4
--       | nothing is compared | margin_errors.within_1e4, margin_errors.compared
--   agree_share      | fraction  | of the cross prices of accounts that have several, those that imply
--         one margin
--       | there is none | margin_errors.agrees, margin_errors.sibling
--   confirmed_share  | fraction  | of positions without the venue's price whose margin is known, those
--         where we find none either
--       | there is none | margin_errors.confirmed, margin_errors.silent
--   explained_share  | fraction  | of compared beyond 1e-6, those with a reason
--       | none is beyond | margin_errors.unexplained, margin_errors.compared, margin_errors.within_1e6
select
    e.day,
    e.source,
    e.scope,
    e.coin,
    e.leverage_type,
    e.venue as venue_prices,
    e.compared,
    e.compared / nullif(e.venue, 0) as compared_share,
    e.median_error,
    e.p99_error,
    e.within_1e6 / nullif(e.compared, 0) as within_1e6_share,
    e.within_1e4 / nullif(e.compared, 0) as within_1e4_share,
    e.agrees / nullif(e.sibling, 0) as agree_share,
    e.confirmed / nullif(e.silent, 0) as confirmed_share,
    1 - e.unexplained / nullif(e.compared - e.within_1e6, 0) as explained_share,
    e.near_zero,
    e.own_leverage,
    e.unexplained,
    e.no_tiers,
    e.no_margin,
    e.margin_mode_unknown,
    e.shared_collateral,
    e.no_other_price,
    e.known_ts
from margin_errors as e
