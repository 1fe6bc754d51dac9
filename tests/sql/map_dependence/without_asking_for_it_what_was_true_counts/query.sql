select notional, multi_notional, snapshot_ts from map_dependence('BTC', timestamptz '2026-01-02 06:00:00+00', knowable := false) where side = 'long'
