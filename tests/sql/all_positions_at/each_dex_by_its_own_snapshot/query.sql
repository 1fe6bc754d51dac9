select coin, dex, size, snapshot_ts from all_positions_at(timestamptz '2026-01-02 12:00:00+00') order by coin
