select x.* from (values ('BTC'), ('ETH')) as c (coin), context_asof(c.coin, '2026-01-08T10:01Z') as x order by c.coin
