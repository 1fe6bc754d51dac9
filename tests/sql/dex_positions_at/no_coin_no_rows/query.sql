select count(*) as n from dex_positions_at(null, timestamptz '2026-01-02 06:00:00+00')
