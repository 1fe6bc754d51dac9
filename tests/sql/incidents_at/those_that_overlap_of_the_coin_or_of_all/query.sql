from incidents_at('fills', 'BTC', timestamptz '2026-01-02 02:00:00+00', timestamptz '2026-01-02 03:00:00+00')
