-- Every long has its short, so the positions of a coin in a complete snapshot add up to nothing.
-- Up to 1 % of what both sides hold is let pass: prices and sizes of a source are rounded, and an
-- archive may leave out who is empty at the venue's own cut.
--
-- check: warn
-- table: positions
-- reads: positions, snapshots
with complete as (
    select
        snapshot_ts,
        source,
        scope
    from snapshots_versions
    where
        superseded_ts is null
        and complete
        and day >= getvariable('since')
        and day < getvariable('until')
)

select
    p.snapshot_ts as start_ts,
    null::timestamptz as end_ts,
    p.source,
    p.coin as subject,
    'longs less shorts are ' || printf('%.1f', 100 * sum(p.size) / sum(abs(p.size)))
    || ' % of what both hold in ' || p.scope as what,
    count(*) as rows,
    max(p.known_ts) as known_ts
from positions_versions as p
semi join complete as c
    on
        p.snapshot_ts = c.snapshot_ts
        and p.source = c.source
        and p.scope = c.scope
where
    p.superseded_ts is null
    and p.day >= getvariable('since')
    and p.day < getvariable('until')
group by p.snapshot_ts, p.source, p.scope, p.coin
having abs(sum(p.size)) > 0.01 * sum(abs(p.size))
