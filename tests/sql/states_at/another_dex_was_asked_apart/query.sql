select scope, state_ts from states_at('BTC', timestamptz '2026-01-02 06:00:00+00') union all select scope, state_ts from states_at('xyz:TSLA', timestamptz '2026-01-02 06:00:00+00')
