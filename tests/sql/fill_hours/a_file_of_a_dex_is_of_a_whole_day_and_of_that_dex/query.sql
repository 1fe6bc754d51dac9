select * from fill_hours('abc:GOLD', '2026-01-08T22:00Z', '2026-01-09T01:00Z')
