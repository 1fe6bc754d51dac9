-- The snapshot of 11:00 was published at 13:00, and so was the fill that closed the position at 10:30.
select 'true then' as asked, s.* from position_spells('2026-01-08T09:00Z', '2026-01-08T12:00Z') as s
union all
select 'published then' as asked, s.* from position_spells('2026-01-08T09:00Z', '2026-01-08T12:00Z', knowable := true) as s
order by asked
