select scope, snapshot_ts from snapshot_at('xyz:TSLA', timestamptz '2026-01-02 06:00:00+00')
