select * from account_profits(timestamptz '2026-01-02 12:00:00+00', knowable := true)
