select account, size from positions_at('BTC', timestamptz '2026-01-02 05:00:00+00', knowable := true) order by account
