-- The most that something found may be old, or an error that says what is allowed.
--
-- macro: checked_age(age)
case
    when age::interval > interval 0 second and age::interval <= interval 31 days then age::interval
    else error('age ' || coalesce(age::varchar, 'null') || ' is not allowed; use more than 0 seconds, up to 31 days')
end
