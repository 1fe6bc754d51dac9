select side, mapped_notional, venue_open_interest, coverage, context_ts from map_coverage('BTC', timestamptz '2026-01-02 06:00:00+00') where band = 'all'
