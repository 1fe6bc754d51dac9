-- A number above 0, or an error that names it.
--
-- gives: none | the number | never
-- macro: checked_positive(given, name)
case
    when try_cast(given as double) > 0 and isfinite(try_cast(given as double)) then try_cast(given as double)
    else error(name || ' ' || coalesce(given::varchar, 'null') || ' is not allowed; use a number above 0')
end
