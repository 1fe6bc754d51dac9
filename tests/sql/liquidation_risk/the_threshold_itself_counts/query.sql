select positions_at_risk, risk_pct from liquidation_risk('all', timestamptz '2026-01-02 12:00:00+00', threshold_pct := 50)
