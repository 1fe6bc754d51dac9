-- 10:00: 99 * 2 + 101 * 3 lie within 2 % of 100.  10:01: nobody buys, so there is no mid.  10:02: its
-- 20 bids end before 2 %, and there may be more.
select m.at_ts, b.* from (values ('2026-01-08T10:00:30Z'::timestamptz), ('2026-01-08T10:01:30Z'), ('2026-01-08T10:02:30Z'), ('2026-01-08T10:12:01Z')) as m (at_ts) left join lateral (from book_asof('BTC', m.at_ts, depth_pct := 2)) as b on true order by m.at_ts
