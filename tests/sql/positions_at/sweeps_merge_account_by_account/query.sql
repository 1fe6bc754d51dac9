select account, size, mark_px, state_ts, current_px, snapshot_ts from positions_at('BTC', timestamptz '2026-01-02 06:00:00+00') order by account
