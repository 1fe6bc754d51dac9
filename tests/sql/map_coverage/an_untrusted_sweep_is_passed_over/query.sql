select mapped_size from map_coverage('BTC', timestamptz '2026-01-02 06:00:00+00') where band = 'all' and side = 'long'
