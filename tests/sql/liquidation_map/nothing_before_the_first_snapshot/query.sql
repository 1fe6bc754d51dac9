select notional from liquidation_map('BTC', timestamptz '2025-01-01 00:00:00+00')
