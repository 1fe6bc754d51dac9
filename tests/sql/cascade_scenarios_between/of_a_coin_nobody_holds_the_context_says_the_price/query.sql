select ts, direction, current_px, notional, positions from cascade_scenarios_between('ETH', timestamptz '2026-01-02 06:00:00+00', timestamptz '2026-01-02 07:00:00+00', interval 1 hour, pcts := [10])
