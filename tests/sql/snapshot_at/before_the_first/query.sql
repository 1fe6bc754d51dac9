select snapshot_ts from snapshot_at('BTC', timestamptz '2025-12-31 23:59:59.999999+00')
