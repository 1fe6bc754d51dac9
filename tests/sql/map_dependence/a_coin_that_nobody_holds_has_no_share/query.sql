from map_dependence('DOGE', timestamptz '2026-01-02 06:00:00+00')
