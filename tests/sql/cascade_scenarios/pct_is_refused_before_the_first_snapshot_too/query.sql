from cascade_scenarios('BTC', timestamptz '2025-01-01 00:00:00+00', pcts := [99])
