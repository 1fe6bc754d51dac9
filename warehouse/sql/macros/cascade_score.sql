-- How much an interval looks like a cascade, 0 to 10; null if a part is.  It never falls if one part
-- rises.  The formula and its reasons are in docs/definitions.md, "Flow and cascades".
--
-- velocity_ratio: velocity over its norm; one_sidedness: |long - short| over both, 0 to 1;
-- open_interest_fall_pct: per cent that open interest fell by, negative: it rose;
-- book_taken: forced USD a minute over the USD that rest near the mid.
--
-- gives: points | 0 to 10 | one of the parts is null
-- macro: cascade_score(velocity_ratio, one_sidedness, open_interest_fall_pct, book_taken)
if(
    velocity_ratio is null or one_sidedness is null or open_interest_fall_pct is null or book_taken is null,
    null,
    5.0 * log10(least(greatest(velocity_ratio, 1.0), 100.0))
    * (
        0.4
        + 0.2 * least(greatest(one_sidedness, 0.0), 1.0)
        + 0.2 * least(greatest(open_interest_fall_pct / 5.0, 0.0), 1.0)
        + 0.2 * least(greatest(book_taken, 0.0), 1.0)
    )
)
