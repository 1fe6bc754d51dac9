select * from context_asof('BTC', '2026-01-08T10:06Z', max_age := interval 0 seconds)
