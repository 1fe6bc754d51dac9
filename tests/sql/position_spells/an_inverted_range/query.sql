select * from position_spells('2026-01-08T10:00Z', '2026-01-08T09:00Z')
