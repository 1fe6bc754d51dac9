select account from positions_at('BTC', timestamptz '2026-01-02 06:00:00+00', max_age := interval 2 hours) order by account
