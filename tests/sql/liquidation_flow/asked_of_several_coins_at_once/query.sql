select f.* from (values ('BTC'), ('ETH')) as c (coin), liquidation_flow(c.coin, '2026-01-08T10:00Z', '2026-01-08T11:00Z') as f
order by f.coin
