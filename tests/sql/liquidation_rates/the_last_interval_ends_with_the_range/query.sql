-- 200 USD in 20 minutes, then 100 in the 10 that are left.
select * from liquidation_rates('BTC', '2026-01-08T10:00Z', '2026-01-08T10:30Z', every := interval 20 minutes)
