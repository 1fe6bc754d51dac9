select side, bucket, notional, current_px, snapshot_ts from levels_at('BTC', timestamptz '2026-01-02 03:00:00+00', 0.5, null) order by bucket
