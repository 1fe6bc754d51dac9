select * from cascades('BTC', '2026-01-08T10:02Z', '2026-01-08T12:00Z')
