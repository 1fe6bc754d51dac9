select account, size, snapshot_ts from positions_at('BTC', timestamptz '2026-01-02 03:05:00+00') order by account
