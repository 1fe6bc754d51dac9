select sum(size) as size from liquidation_map('BTC', timestamptz '2026-01-02 06:00:00+00')
