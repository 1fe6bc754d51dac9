-- A number above 0, or an error that names it.
--
-- macro: checked_positive(given, name)
case
    when given::double > 0 and isfinite(given::double) then given::double
    else error(name || ' ' || coalesce(given::varchar, 'null') || ' is not allowed; use a number above 0')
end
