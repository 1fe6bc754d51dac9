select * from funding_asof('BTC', '2026-01-08T17:00:01Z', knowable := true)
