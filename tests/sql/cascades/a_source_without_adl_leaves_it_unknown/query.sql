-- The cascade of one_cascade_by_hand, of an hour that only node_trades tells: what the vault took over
-- and what ADL closed is not known to be 0.
select * from cascades('BTC', '2026-01-08T10:00Z', '2026-01-08T11:00Z')
