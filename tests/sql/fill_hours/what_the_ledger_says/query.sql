-- 07: grows, and is held to its newest fill.  08: whole, for its newest is of its last minute.  09: its
-- file failed.  10: replaced, and nothing in its place.  11: of another dex.  12: tells less.
select * from fill_hours('BTC', '2026-01-08T06:30Z', '2026-01-08T14:00Z')
