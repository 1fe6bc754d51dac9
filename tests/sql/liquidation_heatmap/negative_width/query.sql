from liquidation_heatmap('BTC', timestamptz '2026-01-01 20:00:00+00', timestamptz '2026-01-02 10:00:00+00', interval 4 hours, width_pct := -1)
