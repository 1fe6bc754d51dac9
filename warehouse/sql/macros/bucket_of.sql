-- Number of the half-open bucket [low, high) that a price falls into; null for a null price.
-- The logarithm only guesses: a price on an edge may be guessed one bucket off, so the guess is
-- held against the edges themselves.  The same in warehouse/kernels/buckets.py, tested equal.
--
-- gives: none | number of the bucket | px is null
-- macro: bucket_of(px, width_pct)
list_transform(
    [floor(ln(px) / ln(1.0 + checked_width(width_pct) / 100.0))::bigint],
    lambda guess: guess
        - (px < bucket_low(guess, width_pct))::bigint
        + (px >= bucket_low(guess + 1, width_pct))::bigint
)[1]
