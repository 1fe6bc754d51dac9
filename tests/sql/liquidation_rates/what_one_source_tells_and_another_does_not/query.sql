-- The whole hour is held of node_trades; of a source that tells more, only its first half.
select * from liquidation_rates('BTC', '2026-01-08T10:00Z', '2026-01-08T11:00Z', every := interval 30 minutes)
