select count(*) as n from segment_map(null, timestamptz '2026-01-02 12:00:00+00')
