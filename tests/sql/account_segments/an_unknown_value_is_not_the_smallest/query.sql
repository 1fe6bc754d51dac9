select account, size_segment, profit_segment, notional, positions from account_segments(timestamptz '2026-01-02 12:00:00+00')
