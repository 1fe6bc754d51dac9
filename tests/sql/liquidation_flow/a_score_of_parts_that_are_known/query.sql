-- 10:00: ratio 10, (500 - 100) / 600 one-sided, open interest -4 %, 10 USD a minute into a book of 200:
-- 5 * log10(10) * (0.4 + 0.2 * 2/3 + 0.2 * 4/5 + 0.2 * 0.05).  What is read at 11:00 is not yet in it.
-- 11:00: the book is too old by then, so only the least score is known.
select * from liquidation_flow('BTC', '2026-01-08T10:00Z', '2026-01-08T12:00Z', every := interval 1 hour)
