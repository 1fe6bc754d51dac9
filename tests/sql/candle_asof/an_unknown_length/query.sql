select * from candle_asof('BTC', '2026-01-08T10:30Z', interval_ := '1M')
