select snapshot_ts from snapshot_at('BTC', timestamptz '2026-01-03 12:00:00+00')
