select account, snapshot_ts from positions_at('BTC', timestamptz '2026-01-09 03:00:00+00') order by account
