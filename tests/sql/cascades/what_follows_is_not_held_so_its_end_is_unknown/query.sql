select * from cascades('BTC', '2026-01-08T00:00Z', '2026-01-08T12:00Z', gap := interval 57 minutes)
