select * from fill_hours('BTC', '2026-01-08T10:00Z', '2026-01-08T10:00Z')
