select count(*) as n from map_changes('BTC', timestamptz '2026-01-01', timestamptz '2026-01-02 06:30:00+00')
