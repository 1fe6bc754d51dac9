select * from liquidation_flow('BTC', null, '2026-01-08T10:00Z')
