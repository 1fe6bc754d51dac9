select snapshot_ts from snapshot_at('BTC', timestamptz '2026-01-02 06:00:00+00', untrusted := true)
