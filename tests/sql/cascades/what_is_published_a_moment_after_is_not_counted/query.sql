select * from cascades('BTC', '2026-01-08T00:00Z', '2026-01-08T10:14Z', knowable := true)
