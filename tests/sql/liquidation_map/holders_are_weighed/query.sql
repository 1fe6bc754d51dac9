select side, top_account_share, herfindahl from liquidation_map('BTC', timestamptz '2026-01-02 01:00:00+00', width_px := 10)
