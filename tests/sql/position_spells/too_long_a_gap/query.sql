select * from position_spells('2026-01-08T10:00Z', '2026-01-08T11:00Z', max_gap := interval 40 days)
