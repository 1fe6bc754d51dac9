select m.at_ts, f.* from (values ('2026-01-08T15:59Z'::timestamptz), ('2026-01-08T16:30Z')) as m (at_ts) left join lateral (from funding_asof('BTC', m.at_ts)) as f on true order by m.at_ts
