select count(*) as n from map_dependence('BTC', timestamptz '2026-01-01 06:00:00+00')
