-- The week before 10:00 has 158 held hours, 9480 minutes, and 9480 USD: a norm of 1.  The hour gives
-- 600 USD, 10 a minute.  The week before 11:00 gains that hour and loses one: 10080 / 9480.
select * from liquidation_flow('BTC', '2026-01-08T10:00Z', '2026-01-08T13:00Z', every := interval 1 hour)
