select snapshot_ts from snapshot_at('BTC', timestamptz '2026-01-02 00:30:00+00', knowable := true)
