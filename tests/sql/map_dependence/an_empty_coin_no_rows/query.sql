select count(*) as n from map_dependence('', timestamptz '2026-01-02 06:00:00+00')
