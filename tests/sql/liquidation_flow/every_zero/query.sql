select * from liquidation_flow('BTC', '2026-01-08T10:00Z', '2026-01-08T11:00Z', every := interval 0 seconds)
