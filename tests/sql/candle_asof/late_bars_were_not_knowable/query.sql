select * from candle_asof('BTC', '2026-01-08T10:30Z', max_age := interval 2 hours, knowable := true)
