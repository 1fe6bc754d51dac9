select side, band, mapped_notional, coverage from map_coverage('BTC', timestamptz '2026-01-02 06:00:00+00') where side = 'long'
