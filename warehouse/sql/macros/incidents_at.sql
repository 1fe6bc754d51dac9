-- What is known to be wrong with a table's rows of a coin within [since, until): the incidents
-- that overlap it, of the coin or of every one.  Those of single accounts are left out, see the
-- table incidents; a stop was not published, a warn was, a fact is known of the source.
--
-- grain: start_ts, check_name, source, subject
-- reads: incidents
-- columns:
--   from incidents: start_ts, end_ts, check_name, source, subject, severity, what, rows, known_ts
-- table macro: incidents_at(table_name, coin, since, until)
with asked as (
    select
        table_name as table_asked,
        coin as coin_asked,
        checked_moment(since, 'since') as since_asked,
        checked_until(since, until) as until_asked
)

select
    i.start_ts,
    i.end_ts,
    i.check_name,
    i.source,
    i.subject,
    i.severity,
    i.what,
    i.rows,
    i.known_ts
from incidents as i
cross join asked as q
where
    i.table_name = q.table_asked
    and i.subject in ('all', q.coin_asked)
    and i.start_ts < q.until_asked
    and (i.start_ts >= q.since_asked or i.end_ts > q.since_asked)
order by i.start_ts, i.check_name, i.source, i.subject
