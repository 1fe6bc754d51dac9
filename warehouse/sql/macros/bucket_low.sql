-- Lower edge of a price bucket, USD: bucket 0 starts at 1 USD, each is width_pct wider than the last.
-- The rule is stated in warehouse/kernels/buckets.py; the two are tested equal.
--
-- gives: USD | lower edge of the bucket | bucket is null
-- macro: bucket_low(bucket, width_pct)
pow(1.0 + checked_width(width_pct) / 100.0, bucket)
