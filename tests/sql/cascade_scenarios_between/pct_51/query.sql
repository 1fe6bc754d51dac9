from cascade_scenarios_between('BTC', timestamptz '2026-01-01 22:00:00+00', timestamptz '2026-01-02 10:00:00+00', interval 4 hours, pcts := [51])
