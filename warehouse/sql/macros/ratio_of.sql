-- The largest over the smallest of two sides; null where the smaller holds nothing.
--
-- gives: x | the larger side over the smaller | the smaller side holds nothing
-- macro: ratio_of(long_notional, short_notional)
if(
    least(long_notional, short_notional) > 0,
    greatest(long_notional, short_notional) / least(long_notional, short_notional),
    null
)
