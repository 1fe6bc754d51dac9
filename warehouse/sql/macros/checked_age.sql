-- The most that something found may be old, or an error that says what is allowed.  In microseconds,
-- for a day of the session's time zone may have 23 hours.
--
-- gives: none | the age, an interval | never
-- macro: checked_age(age)
case
    when try_cast(age as interval) > interval 0 second and try_cast(age as interval) <= interval 31 days
        then to_microseconds(epoch_us(try_cast(age as interval)))
    else error('age ' || coalesce(age::varchar, 'null') || ' is not allowed; use more than 0 seconds, up to 31 days')
end
