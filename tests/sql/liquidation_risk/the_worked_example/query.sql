select * exclude (snapshot_ts) from liquidation_risk('fish', timestamptz '2026-01-02 12:00:00+00')
