from liquidation_risk('all', timestamptz '2026-01-02 12:00:00+00')
