-- Ages in hours, each once, or an error that says what is allowed.
--
-- gives: hours | the ages, each once | never
-- macro: checked_hours(hours)
list_distinct(list_transform(coalesce(try_cast(hours as varchar[]), [hours::varchar]), lambda age: case
    when try_cast(age as double) > 0 and try_cast(age as double) <= 87600 then try_cast(age as double)
    else error('hours ' || coalesce(age::varchar, 'null') || ' is not allowed; use numbers above 0, up to 87600')
end))
