-- The moments of [since, until) at which a series is asked for: since, and every so long after it.
--
-- gives: none | the moments, a list | never
-- macro: moments_between(since, until, every)
generate_series(
    checked_moment(since, 'since'),
    checked_until(since, until) - interval 1 microsecond,
    to_microseconds(checked_every(every, since, until))
)
