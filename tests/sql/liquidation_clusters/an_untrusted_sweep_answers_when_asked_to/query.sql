select sum(size) as size from liquidation_clusters('BTC', timestamptz '2026-01-02 06:00:00+00', untrusted := true)
