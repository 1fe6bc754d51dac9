select hours, coin, dex = 'xyz' as of_its_own
from (values (12, false), (18, false), (18, true), (21, true)) as a (hours, known)
cross join lateral (
    from all_positions_at(timestamptz '2026-01-02 00:00:00Z' + to_hours(hours), knowable := known)
)
order by hours, known
