select * from liquidation_flow('BTC', '2026-01-08T10:30Z', '2026-01-08T11:30Z')
