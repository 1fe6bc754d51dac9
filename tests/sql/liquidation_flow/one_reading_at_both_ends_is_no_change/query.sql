select * from liquidation_flow('BTC', '2026-01-08T10:40Z', '2026-01-08T10:50Z', every := interval 5 minutes)
