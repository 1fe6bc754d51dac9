select account, state_ts from states_at('BTC', timestamptz '2026-01-02 06:00:00+00') order by account nulls first
