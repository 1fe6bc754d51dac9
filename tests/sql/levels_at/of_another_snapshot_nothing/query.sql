select side from levels_at('BTC', timestamptz '2026-01-02 07:00:00+00', 0.5, null)
