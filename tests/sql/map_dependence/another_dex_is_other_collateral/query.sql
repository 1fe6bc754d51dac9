select side, cross_notional, multi_notional, maybe_notional from map_dependence('BTC', timestamptz '2026-01-02 06:00:00+00')
