select side, mapped_size, accounts_asked, accounts_known, complete, base_ts, oldest_ts, snapshot_ts, age_hours from map_coverage('BTC', timestamptz '2026-01-02 02:00:00+00') where band = 'all'
