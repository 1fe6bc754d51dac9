-- Liquidations of one coin through time, with what the market around them did: one row an interval.
-- Intervals start at `since`; the last ends at `until`.  Nothing from an interval's end on is in its
-- row.  The rules are in docs/definitions.md, "Flow and cascades".
--
-- grain: ts
-- reads: liquidation_rates, asset_contexts, funding, order_books
-- columns:
--   coin                     | none                | the coin asked for | never | argument coin
--   from liquidation_rates: ts, until_ts, liquidations, long_notional, short_notional, mean_notional,
--       largest, adl_notional, backstop_notional, accounts, velocity, norm, velocity_ratio, held_share,
--       norm_share
--   one_sidedness            | fraction            | the difference of both sides over their sum, 0 to
--         1; 0: nothing was liquidated
--       | its fills are not all held, or the coin is not heard of | made here
--   funding_rate             | fraction per hour   | newest before until_ts: of the contexts, or else
--         of the payments
--       | none is at most max_age old | asset_contexts.funding_rate, funding.rate, funding.period_hours
--   funding_shift            | fraction per hour   | funding_rate less the newest before ts
--       | no newer one came since, or either is more than max_age old | made here
--   open_interest            | coin                | newest before until_ts, one-sided
--       | none is at most max_age old | asset_contexts.open_interest
--   open_interest_notional   | USD                 | newest before until_ts, one-sided, at the mark
--       | none is at most max_age old | asset_contexts.open_interest, asset_contexts.mark_px,
--         asset_contexts.open_interest_notional
--   open_interest_change     | coin                | open_interest less the newest before ts
--       | no newer one came since, or either is more than max_age old | made here
--   open_interest_change_pct | per cent            | the same, of the newest before ts
--       | as of open_interest_change, or it was 0 before | made here
--   open_interest_ts         | none                | instant of open_interest
--       | none is at most max_age old | asset_contexts.context_ts
--   depth                    | USD                 | what rests within depth_pct of the mid, both
--         sides, in the newest book before until_ts
--       | no book is at most book_age old, a side of it is empty, or it may not reach so far |
--         order_books.bids, order_books.asks
--   book_taken               | fraction per minute | velocity over depth; infinite: nothing rests so near
--       | velocity or depth is not known | made here
--   book_ts                  | none                | instant of the book
--       | none is at most book_age old | order_books.book_ts
--   cascade_score            | points              | 0 to 10: how much the interval looks like a
--         cascade
--       | one of its four parts is not known | made here
--   score_at_least           | points              | the same with 0 for open interest or depth that is
--         not known
--       | velocity_ratio or one_sidedness is not known | made here
-- table macro: liquidation_flow(coin, since, until, every := interval 1 hour, knowable := false, max_age := interval 2 hours, book_age := interval 10 minutes, depth_pct := 0.1, min_held := 0.25)
with asked as (
    select
        coin as coin_asked,
        epoch_us(checked_moment(since, 'since')) as since_us,
        epoch_us(checked_until(since, until)) as until_us,
        checked_until(since, until) as until_asked,
        checked_every(every, since, until) as every_us,
        epoch_us(checked_age(max_age)) as age_us,
        epoch_us(checked_age(book_age)) as book_age_us,
        checked_positive(depth_pct, 'depth_pct') as reach_pct,
        knowable as knowable_asked
),

rates as (
    from liquidation_rates(coin, since, until, every := every, knowable := knowable, min_held := min_held)
),

edges as materialized (
    select
        e.k,
        least(q.since_us + e.k * q.every_us, q.until_us) as edge_us
    from asked as q
    cross join unnest(
        generate_series(0, (q.until_us - q.since_us - 1) // q.every_us + 1)
    ) as e (k)
),

days as (
    select
        q.*,
        unnest(generate_series(
            date_trunc('day', make_timestamptz(q.since_us - greatest(q.age_us, q.book_age_us)) at time zone 'UTC'),
            q.until_asked at time zone 'UTC',
            interval 1 day
        ))::date as day
    from asked as q
),

readings as (
    select
        epoch_us(c.context_ts) as time_us,
        c.source,
        c.funding_rate as rated,
        null::double as paid,
        c.open_interest as coins,
        coalesce(c.open_interest * c.mark_px, c.open_interest_notional) as notional,
        null::double as depth,
        false as is_book
    from asset_contexts_versions as c
    inner join days as d on c.day = d.day
    where
        c.coin = d.coin_asked
        and c.venue = 'hyperliquid'
        and c.context_ts < d.until_asked
        and stands(c.known_ts, c.since_ts, c.superseded_ts, d.until_asked, d.knowable_asked)
    union all
    select
        epoch_us(f.time_ts) as time_us,
        f.source,
        null as rated,
        f.rate / f.period_hours as paid,
        null as coins,
        null as notional,
        null as depth,
        false as is_book
    from funding_versions as f
    inner join days as d on f.day = d.day
    where
        f.coin = d.coin_asked
        and f.venue = 'hyperliquid'
        and f.time_ts < d.until_asked
        and stands(f.known_ts, f.since_ts, f.superseded_ts, d.until_asked, d.knowable_asked)
    union all
    select
        epoch_us(b.book_ts) as time_us,
        b.source,
        null as rated,
        null as paid,
        null as coins,
        null as notional,
        book_depth(b.bids, b.asks, d.reach_pct) as depth,
        true as is_book
    from order_books_versions as b
    inner join days as d on b.day = d.day
    where
        b.coin = d.coin_asked
        and b.book_ts < d.until_asked
        and stands(b.known_ts, b.since_ts, b.superseded_ts, d.until_asked, d.knowable_asked)
),

-- What was read last before each edge: edges stand before readings of the same instant, and of
-- several at one instant the first source comes last.  A window, as DuckDB 2.0 takes an asof join to
-- a series of unknown length for a loop: 2 s instead of 0.1 s a week of minutes.
last_read as (
    select
        m.k,
        m.time_us as edge_us,
        last_value(if(m.rated is null, null, {'us': m.time_us, 'told': m.rated}) ignore nulls) over sofar as rated,
        last_value(if(m.paid is null, null, {'us': m.time_us, 'told': m.paid}) ignore nulls) over sofar as paid,
        last_value(if(m.coins is null, null, {'us': m.time_us, 'told': m.coins}) ignore nulls) over sofar as coins,
        last_value(if(m.notional is null, null, {'us': m.time_us, 'told': m.notional}) ignore nulls) over sofar
            as notional,
        last_value(if(m.is_book, {'us': m.time_us, 'told': m.depth}, null) ignore nulls) over sofar as book
    from (
        select
            e.k,
            e.edge_us as time_us,
            null as source,
            null::double as rated,
            null::double as paid,
            null::double as coins,
            null::double as notional,
            null::double as depth,
            false as is_book
        from edges as e
        union all
        select
            null as k,
            r.*
        from readings as r
    ) as m
    window sofar as (
        order by m.time_us, m.k nulls last, m.source desc
        rows unbounded preceding
    )
    qualify m.k is not null
),

seen as (
    select
        l.k,
        l.edge_us,
        if(l.edge_us - l.rated.us <= q.age_us, l.rated.us, null) as rated_us,
        if(l.edge_us - l.rated.us <= q.age_us, l.rated.told, null) as rated,
        if(l.edge_us - l.paid.us <= q.age_us, l.paid.us, null) as paid_us,
        if(l.edge_us - l.paid.us <= q.age_us, l.paid.told, null) as paid,
        if(l.edge_us - l.coins.us <= q.age_us, l.coins.us, null) as coins_us,
        if(l.edge_us - l.coins.us <= q.age_us, l.coins.told, null) as coins,
        if(l.edge_us - l.notional.us <= q.age_us, l.notional.told, null) as notional,
        if(l.edge_us - l.book.us <= q.book_age_us, l.book.us, null) as book_us,
        if(l.edge_us - l.book.us <= q.book_age_us, l.book.told, null) as depth
    from last_read as l
    cross join asked as q
),

changes as (
    select
        lag(s.edge_us) over steps as edge_us,
        coalesce(s.rated, s.paid) as funding_rate,
        if(
            s.rated is not null,
            if(s.rated_us > lag(s.rated_us) over steps, s.rated - lag(s.rated) over steps, null),
            if(s.paid_us > lag(s.paid_us) over steps, s.paid - lag(s.paid) over steps, null)
        ) as funding_shift,
        s.coins as open_interest,
        s.notional as open_interest_notional,
        if(s.coins_us > lag(s.coins_us) over steps, s.coins - lag(s.coins) over steps, null)
            as open_interest_change,
        if(
            s.coins_us > lag(s.coins_us) over steps,
            (s.coins / nullif(lag(s.coins) over steps, 0) - 1) * 100,
            null
        ) as open_interest_change_pct,
        make_timestamptz(s.coins_us) as open_interest_ts,
        s.depth,
        make_timestamptz(s.book_us) as book_ts
    from seen as s
    window steps as (order by s.k)
),

flow as (
    select
        r.*,
        c.* exclude (edge_us),
        if(
            r.notional > 0,
            abs(r.long_notional - r.short_notional) / r.notional,
            if(r.notional = 0, 0, null)
        ) as one_sidedness,
        if(r.velocity = 0 and c.depth is not null, 0, r.velocity / c.depth) as book_taken
    from rates as r
    inner join changes as c on epoch_us(r.ts) = c.edge_us
)

select
    q.coin_asked as coin,
    f.ts,
    f.until_ts,
    f.liquidations,
    f.long_notional,
    f.short_notional,
    f.mean_notional,
    f.largest,
    f.adl_notional,
    f.backstop_notional,
    f.accounts,
    f.velocity,
    f.norm,
    f.velocity_ratio,
    f.one_sidedness,
    f.funding_rate,
    f.funding_shift,
    f.open_interest,
    f.open_interest_notional,
    f.open_interest_change,
    f.open_interest_change_pct,
    f.open_interest_ts,
    f.depth,
    f.book_taken,
    f.book_ts,
    cascade_score(f.velocity_ratio, f.one_sidedness, -f.open_interest_change_pct, f.book_taken) as cascade_score,
    cascade_score(
        f.velocity_ratio,
        f.one_sidedness,
        coalesce(-f.open_interest_change_pct, 0),
        coalesce(f.book_taken, 0)
    ) as score_at_least,
    f.held_share,
    f.norm_share
from flow as f
cross join asked as q
order by f.ts
