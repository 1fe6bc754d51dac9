-- Known when it happens: held up to the moment asked for.  Published later: not held yet.
select * from fill_hours('BTC', '2026-01-08T07:00Z', '2026-01-08T08:30Z', knowable := true)
