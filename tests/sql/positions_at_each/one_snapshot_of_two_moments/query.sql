select ts, count(*) as positions from positions_at_each('BTC', [timestamptz '2026-01-02 05:00:00+00', timestamptz '2026-01-02 04:00:00+00']) group by all order by ts
