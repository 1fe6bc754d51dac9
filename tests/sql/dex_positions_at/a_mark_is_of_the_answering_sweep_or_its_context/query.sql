select account, coin, mark_px, current_px, state_ts from dex_positions_at('BTC', timestamptz '2026-01-02 06:00:00+00') order by account, coin
