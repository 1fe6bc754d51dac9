select account, state_ts, snapshot_ts from states_at('BTC', timestamptz '2026-01-02 01:00:00+00')
