from map_changes('BTC', timestamptz '2026-01-02 06:30:00+00', timestamptz '2026-01-02 03:00:00+00')
