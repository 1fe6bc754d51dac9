-- How much older than the newest answer another may be that is merged with it, or an error that says
-- what is allowed.  None older is 0 seconds.
--
-- gives: none | the age, an interval | never
-- macro: checked_reach(max_age)
case
    when
        try_cast(max_age as interval) >= interval 0 second
        and try_cast(max_age as interval) <= interval 3660 days
        then to_microseconds(epoch_us(try_cast(max_age as interval)))
    else error(
        'max_age ' || coalesce(max_age::varchar, 'null') || ' is not allowed; use 0 seconds or more, up to 3660 days'
    )
end
