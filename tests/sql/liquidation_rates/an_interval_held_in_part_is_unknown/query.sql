select * from liquidation_rates('BTC', '2026-01-08T10:00Z', '2026-01-08T14:00Z', every := interval 4 hours)
