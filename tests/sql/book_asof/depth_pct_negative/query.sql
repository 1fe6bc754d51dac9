select * from book_asof('BTC', '2026-01-08T10:06Z', depth_pct := -1)
