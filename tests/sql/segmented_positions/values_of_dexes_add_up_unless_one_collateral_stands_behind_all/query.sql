select distinct account, account_value, size_segment, profit_segment from segmented_positions(timestamptz '2026-01-02 12:00:00+00', profits := false) order by account
