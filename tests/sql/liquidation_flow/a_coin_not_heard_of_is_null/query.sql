-- Hours 10 and 11 are held.  SOL's first fill is of hour 11, DOGE's first context too, and nothing is
-- known of NOPE.  Nothing of SOL or DOGE was liquidated.
select f.* from (values ('NOPE'), ('SOL'), ('DOGE')) as c (coin), liquidation_flow(c.coin, '2026-01-08T10:00Z', '2026-01-08T12:00Z') as f
order by f.coin, f.ts
