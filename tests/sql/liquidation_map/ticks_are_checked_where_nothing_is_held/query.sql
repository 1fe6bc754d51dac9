from liquidation_map('BTC', timestamptz '2026-01-02 06:00:00+00', width_px := 1e-300)
