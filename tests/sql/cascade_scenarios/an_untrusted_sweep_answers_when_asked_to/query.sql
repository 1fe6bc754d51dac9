select notional from cascade_scenarios('BTC', timestamptz '2026-01-02 06:00:00+00', untrusted := true, pcts := [50]) where direction = 'down'
