select open_interest, unknown_interest, at_risk, risk_pct from liquidation_risk('unknown_size', timestamptz '2026-01-02 12:00:00+00')
