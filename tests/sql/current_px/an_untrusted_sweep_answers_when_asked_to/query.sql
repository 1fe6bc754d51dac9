select px from current_px('BTC', timestamptz '2026-01-02 06:00:00+00', untrusted := true)
