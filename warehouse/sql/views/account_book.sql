-- Every account that was ever seen, and what was last known of it: who to ask next.
--
-- An account is seen by its fills and by answers about it.  What it held is of the newest answer
-- that asked for positions; null: it was never asked.
--
-- grain: account
-- reads: fills, accounts
-- columns:
--   account       | none      | holder's address | never | fills.account, accounts.account
--   first_seen_ts | none      | first fill or answer | never | fills.time_ts, accounts.state_ts
--   last_seen_ts  | none      | last fill or answer | never | fills.time_ts, accounts.state_ts
--   last_asked_ts | none      | newest answer that tells its positions
--       | it was never asked for them | accounts.state_ts
--   positions     | positions | that it held then, over all dexes
--       | it was never asked for them | accounts.positions
--   notional      | USD       | of them, at their marks
--       | it was never asked for them | accounts.notional
--   nearest_pct   | per cent  | least distance from a mark to its liquidation price, of the mark
--       | it was never asked for positions, or none had a price | accounts.nearest_pct
--   account_value | USD       | newest that was told | none was | accounts.account_value
with seen as (
    select
        f.account,
        min(f.time_ts) as first_ts,
        max(f.time_ts) as last_ts
    from fills as f
    group by f.account
    union all
    select
        a.account,
        min(a.state_ts) as first_ts,
        max(a.state_ts) as last_ts
    from accounts as a
    group by a.account
),

spans as (
    select
        s.account,
        min(s.first_ts) as first_seen_ts,
        max(s.last_ts) as last_seen_ts
    from seen as s
    group by s.account
),

-- An account holds on each dex apart: its newest answer of each counts.
newest as (
    select a.*
    from accounts as a
    where a.positions is not null
    qualify row_number() over (
        partition by a.account, a.scope
        order by a.state_ts desc, a.source
    ) = 1
),

held as (
    select
        n.account,
        max(n.state_ts) as last_asked_ts,
        sum(n.notional) as notional,
        sum(n.positions)::bigint as positions,
        min(n.nearest_pct) as nearest_pct
    from newest as n
    group by n.account
),

worth as (
    select
        a.account,
        max_by(a.account_value, a.state_ts) as account_value
    from accounts as a
    where a.account_value is not null
    group by a.account
)

select
    s.account,
    s.first_seen_ts,
    s.last_seen_ts,
    h.last_asked_ts,
    h.positions,
    h.notional,
    h.nearest_pct,
    w.account_value
from spans as s
left join held as h on s.account = h.account
left join worth as w on s.account = w.account
