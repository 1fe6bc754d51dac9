select ts, account, size, current_px from positions_at_each('BTC', [timestamptz '2026-01-02 05:00:00+00', timestamptz '2026-01-02 07:00:00+00']) order by ts, account
