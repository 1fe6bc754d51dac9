from liquidation_clusters('BTC', timestamptz '2026-01-02 06:00:00+00', width_pct := 5)
