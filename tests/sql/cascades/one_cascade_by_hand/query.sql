-- The norm is 10080 USD in 10080 minutes: 1.  10:00 gives 20000 USD: it seeds.  10:03 gives 50 against a
-- norm of 30080 / 10080: 16.8 times, it keeps going.  10:04 gives 0.8: below 3 times.  10 minutes later
-- it is over.  From 100 to 80, and within the hour back to 95; what ADL closes at is no price.
select * from cascades('BTC', '2026-01-08T00:00Z', '2026-01-08T12:00Z')
