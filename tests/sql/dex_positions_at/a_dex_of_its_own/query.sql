select account, coin from dex_positions_at('xyz:GOLD', timestamptz '2026-01-02 06:00:00+00')
