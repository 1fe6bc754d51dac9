from segment_map('BTC', timestamptz '2026-01-02 12:00:00+00', width_pct := -1)
