select * from liquidations_between('BTC', '2026-01-08T10:00Z', '2026-01-08T11:00Z') order by time_ts, trade_id
