-- How much of a map's mass rests on prices of other coins: by side, the share of it that comes from
-- cross accounts with several cross positions.  Their liquidation prices hold all other prices
-- fixed, so they do not come true together, and must not be added up over coins; the Python function
-- joint_map says what does.  Definition: docs/definitions.md, "Cross accounts".
--
-- grain: side
-- reads: snapshot_at, dex_positions_at
-- columns:
--   coin            | none      | the coin asked for | never | argument coin
--   side            | none      | of the positions: long or short | never | made here
--   notional        | USD       | at liquidation_px, as on the map
--       | never | positions.size, positions.liquidation_px
--   cross_notional  | USD       | part of notional whose positions are cross, as recorded
--       | never | positions.size, positions.liquidation_px
--   multi_notional  | USD       | part of cross_notional whose account holds another cross position on
--         the dex
--       | never | positions.size, positions.liquidation_px
--   maybe_notional  | USD       | what could be such too, if margin modes were recorded
--       | never | positions.size, positions.liquidation_px
--   share           | fraction  | multi_notional of notional | notional is 0 | made here
--   share_most      | fraction  | the same with maybe_notional | notional is 0 | made here
--   positions       | positions | with a price | never | made here
--   multi_positions | positions | of multi_notional | never | made here
--   unpriced        | positions | without a price, in nothing else here | never | made here
--   from snapshot_at: snapshot_ts
-- table macro: map_dependence(coin, "at", knowable := false, max_age := interval 26 hours, untrusted := false, coin_by := null)
with asked as (
    select coin as coin_asked
    where coin != ''
),

coin_known as materialized (
    -- Cast, for that they are moments is checked where they are asked.
    select checked_coin(
        coin, coalesce(checked_moment(coin_by, 'coin_by'), try_cast("at" as timestamptz)), knowable
    ) is not null as is_known
),

answering as (
    from snapshot_at(coin, "at", knowable := knowable, untrusted := untrusted)
),

held as (
    from dex_positions_at(
        coin, "at", knowable := knowable, max_age := max_age, untrusted := untrusted
    )
),

accounts as (
    select
        h.account,
        count(*) filter (where h.leverage_type = 'cross') as cross_positions,
        count(*) filter (where h.leverage_type is null) as unrecorded
    from held as h
    group by h.account
),

placed as (
    select
        h.side,
        h.account,
        abs(h.size) * h.liquidation_px as notional,
        coalesce(h.leverage_type = 'cross', false) as is_cross,
        coalesce(h.leverage_type = 'cross', false) and a.cross_positions > 1 as is_multi,
        coalesce(h.leverage_type != 'isolated', true)
        and a.cross_positions + a.unrecorded > 1 as could_be
    from held as h
    cross join asked as q
    inner join accounts as a on h.account = a.account
    where h.coin = q.coin_asked
),

summed as (
    select
        s.side,
        coalesce(sum(p.notional), 0) as notional,
        coalesce(sum(p.notional) filter (where p.is_cross), 0) as cross_notional,
        coalesce(sum(p.notional) filter (where p.is_multi), 0) as multi_notional,
        coalesce(sum(p.notional) filter (where p.could_be and not p.is_multi), 0)
            as maybe_notional,
        count(p.notional) as positions,
        count(p.notional) filter (where p.is_multi) as multi_positions,
        count(p.account) - count(p.notional) as unpriced
    from (values ('long'), ('short')) as s (side)
    left join placed as p on s.side = p.side
    group by s.side
)

select
    q.coin_asked as coin,
    s.side,
    s.notional,
    s.cross_notional,
    s.multi_notional,
    s.maybe_notional,
    s.multi_notional / nullif(s.notional, 0) as share,
    (s.multi_notional + s.maybe_notional) / nullif(s.notional, 0) as share_most,
    s.positions,
    s.multi_positions,
    s.unpriced,
    a.snapshot_ts
from summed as s
cross join asked as q
cross join answering as a
cross join coin_known as k
where k.is_known
order by s.side
