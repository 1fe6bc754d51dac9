from mass_decay('BTC', timestamptz '2026-01-01 00:00:00+00', timestamptz '2026-01-02 12:00:00+00', hours := null)
