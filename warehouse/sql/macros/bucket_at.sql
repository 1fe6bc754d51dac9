-- Number of the half-open bucket [low, high) that a price falls into; null for a null price.
-- Buckets are multiplicative, width_pct wide and anchored at 1 USD (bucket_of), or, if width_px is
-- given, each width_px USD wide and anchored at 0.
--
-- gives: none | number of the bucket | px is null
-- macro: bucket_at(px, width_pct, width_px)
if(width_px is null, bucket_of(px, width_pct), floor(px / checked_ticks(width_px))::bigint)
