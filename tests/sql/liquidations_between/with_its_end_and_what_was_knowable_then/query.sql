select time_ts, notional from liquidations_between('BTC', '2026-01-08T10:00Z', '2026-01-08T11:00Z', knowable := true, with_end := true) order by time_ts
