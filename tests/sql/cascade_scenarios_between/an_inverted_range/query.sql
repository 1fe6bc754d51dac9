from cascade_scenarios_between('BTC', timestamptz '2026-01-02 00:00:00+00', timestamptz '2026-01-01 00:00:00+00', interval 1 hour)
