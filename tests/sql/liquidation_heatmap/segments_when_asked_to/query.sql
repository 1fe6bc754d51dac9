select ts, px_low, most_hit_segment from liquidation_heatmap('BTC', timestamptz '2026-01-02 01:00:00+00', timestamptz '2026-01-02 02:00:00+00', interval 1 hour, width_pct := 100, segments := true)
