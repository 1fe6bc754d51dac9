-- Lower edge of a bucket, USD: of bucket_at.
--
-- gives: USD | lower edge of the bucket | bucket is null
-- macro: edge_at(bucket, width_pct, width_px)
if(width_px is null, bucket_low(bucket, width_pct), bucket * checked_ticks(width_px))
