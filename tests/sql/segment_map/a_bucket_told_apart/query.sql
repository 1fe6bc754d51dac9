select side, px_low, px_high, segment, notional, positions, share, most_hit_segment from segment_map('BTC', timestamptz '2026-01-02 12:00:00+00', width_pct := 100)
