-- 10080 minutes: what happened at ts is not in its norm, what happened a week before is.
select * from liquidation_rates('BTC', '2026-01-08T10:00Z', '2026-01-08T10:02Z', every := interval 1 minute)
