-- How far our liquidation prices are from the venue's own, per coin, margin mode and day: how large
-- the error is, how many prices are close, and what explains the rest.
--
-- Of each venue price our price is made without looking at it; a nightly step does it and lands
-- margin_errors.  Definition: docs/definitions.md, "Margin error".
--
-- grain: day, source, scope, coin, leverage_type
-- reads: margin_errors
-- units: errors are fractions of the venue's price; shares are fractions of compared, agree_share of
--        sibling, confirmed_share of silent, compared_share of venue: null where there is none;
--        explained_share is of those compared that are beyond 1e-6, null where none is
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
