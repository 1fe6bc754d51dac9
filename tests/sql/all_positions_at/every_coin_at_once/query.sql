select coin, account, side, notional, mark_notional, account_value, current_px from all_positions_at(timestamptz '2026-01-02 12:00:00+00') order by coin, account
