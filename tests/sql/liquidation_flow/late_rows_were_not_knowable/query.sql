-- The hour was published at 12:02: at 11:00 it is not held, at 12:02 it is.
select * from liquidation_flow('BTC', '2026-01-08T10:00Z', '2026-01-08T11:00Z', knowable := true)
union all by name
select * from liquidation_flow('BTC', '2026-01-08T10:00Z', '2026-01-08T12:02Z', every := interval 1 hour, knowable := true)
order by until_ts, ts, liquidations nulls first
